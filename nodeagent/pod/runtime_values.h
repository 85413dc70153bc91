#pragma once
// What a container runtime is asked for and what it answers, as plain values: the vocabulary shared
// by the pure pod machine and the runtime doors. Thread rule: plain values.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace steer {

inline constexpr const char* kPodNameLabel = "io.kubernetes.pod.name";
inline constexpr const char* kPodNamespaceLabel = "io.kubernetes.pod.namespace";
inline constexpr const char* kPodUidLabel = "io.kubernetes.pod.uid";
inline constexpr const char* kContainerNameLabel = "io.kubernetes.container.name";
/// Whose sandbox this is: a runtime may be shared with others, and only ours are ever touched.
inline constexpr const char* kNodeLabel = "steersman.dev/node";
/// Seconds that must pass after this container's exit before its successor starts. Kept with the
/// container, so that a restarted agent goes on counting where it was.
inline constexpr const char* kRestartDelayAnnotation = "steersman.dev/restart-delay-seconds";
/// The image as the pod's specification named it when the container was made.
inline constexpr const char* kImageAnnotation = "steersman.dev/image";
inline constexpr const char* kTerminationPathAnnotation = "steersman.dev/termination-message-path";
inline constexpr const char* kTerminationPolicyAnnotation = "steersman.dev/termination-message-policy";

enum class MountPropagation { none, hostToContainer, bidirectional };

struct ContainerMount {
  std::string containerPath;
  std::string hostPath;
  bool readOnly = false;
  MountPropagation propagation = MountPropagation::none;
  bool operator==(const ContainerMount&) const = default;
};

struct DnsConfig {
  std::vector<std::string> servers;
  std::vector<std::string> searches;
  std::vector<std::string> options;
  bool operator==(const DnsConfig&) const = default;
};

struct HostPort {
  std::string protocol = "TCP";  ///< TCP | UDP | SCTP
  std::int32_t containerPort = 0;
  std::int32_t hostPort = 0;
  std::string hostIp;
  bool operator==(const HostPort&) const = default;
};

enum class Seccomp { runtimeDefault, unconfined, localhost };

struct SeccompProfile {
  Seccomp kind = Seccomp::unconfined;
  std::string path;  ///< localhost only
};

/// The namespaces a pod's containers share with the node or with each other.
struct PodNamespaces {
  bool hostNetwork = false;
  bool hostPid = false;
  bool hostIpc = false;
  bool sharedPid = false;
};

struct SandboxConfig {
  std::string podName;
  std::string podNamespace;
  std::string podUid;
  std::uint32_t attempt = 0;
  std::string hostname;  ///< empty for host network
  std::string logDirectory;
  std::optional<DnsConfig> dns;
  std::vector<HostPort> ports;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string cgroupParent;
  std::map<std::string, std::string> sysctls;
  PodNamespaces namespaces;
  bool privileged = false;
  std::optional<std::int64_t> runAsUser;
  std::optional<std::int64_t> runAsGroup;
  std::vector<std::int64_t> supplementalGroups;
  SeccompProfile seccomp;
};

/// 0 = not said.
struct LinuxResources {
  std::int64_t cpuPeriod = 0;
  std::int64_t cpuQuota = 0;
  std::int64_t cpuShares = 0;
  std::int64_t memoryLimit = 0;
  std::int64_t oomScoreAdj = 0;
  bool operator==(const LinuxResources&) const = default;
};

struct ContainerSecurity {
  bool privileged = false;
  bool readOnlyRootfs = false;
  bool noNewPrivileges = false;
  std::optional<std::int64_t> runAsUser;
  std::optional<std::int64_t> runAsGroup;
  bool runAsNonRoot = false;  ///< the image's user must be checked when runAsUser is not set
  std::vector<std::int64_t> supplementalGroups;
  std::vector<std::string> addCapabilities;
  std::vector<std::string> dropCapabilities;
  SeccompProfile seccomp;
  std::vector<std::string> maskedPaths;
  std::vector<std::string> readonlyPaths;
};

struct ContainerConfig {
  std::string name;
  std::uint32_t attempt = 0;
  std::string image;  ///< the reference that the pull or the image look-up answered
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::string workingDir;
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<ContainerMount> mounts;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string logPath;  ///< below the sandbox's log directory
  bool openStdin = false;
  bool stdinOnce = false;
  bool tty = false;
  PodNamespaces namespaces;
  LinuxResources resources;
  ContainerSecurity security;
};

struct SandboxState {
  std::string id;
  std::string podName;
  std::string podNamespace;
  std::string podUid;
  std::uint32_t attempt = 0;
  bool ready = false;
  Time createdAt{};
  std::vector<std::string> ips;  ///< empty for host network
  bool operator==(const SandboxState&) const = default;
};

enum class ContainerPhase {
  created,   ///< made, never started
  starting,  ///< a start is under way inside the runtime (simulated runtimes only)
  running,
  exited,
  unknown,
};

struct ContainerState {
  std::string id;
  std::string sandboxId;
  std::string podUid;
  std::string name;
  std::uint32_t attempt = 0;
  ContainerPhase phase = ContainerPhase::created;
  Time createdAt{};
  Time startedAt{};
  Time finishedAt{};
  int exitCode = 0;
  std::string reason;   ///< of an exited container: Completed, Error, OOMKilled, StartError
  std::string message;  ///< termination message
  std::string image;    ///< as the specification named it
  std::string imageId;
  std::string logPath;
  std::map<std::string, std::string> annotations;
  std::optional<Time> readyAt;  ///< simulated runtimes: not ready before this time
  bool operator==(const ContainerState&) const = default;
};

/// Everything the runtime holds for one pod.
struct PodRuntimeState {
  std::vector<SandboxState> sandboxes;
  std::vector<ContainerState> containers;

  bool empty() const { return sandboxes.empty() && containers.empty(); }
  bool operator==(const PodRuntimeState&) const = default;
};

struct ImageAuth {
  std::string username;
  std::string password;
  std::string identityToken;
  std::string registryToken;
};

struct ImageInfo {
  std::string id;
  std::vector<std::string> tags;
  std::vector<std::string> digests;
  std::optional<std::int64_t> uid;  ///< the user the image names by number
  std::string userName;             ///< the user the image names by word
  std::uint64_t bytes = 0;
  bool pinned = false;  ///< the runtime needs it itself
};

}  // namespace steer
