#pragma once
// From a pod's specification to what the runtime is asked for. Pure.
#include <map>
#include <string>

#include "core/object.h"
#include "core/result.h"
#include "nodeagent/pod/environment.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

/// What the node adds to every pod.
struct PodSetting {
  std::string nodeName;
  std::string nodeHostname;  ///< of host-network pods
  std::string cgroupParent;  ///< of this pod; empty = the runtime's default
  std::string logDirectory;  ///< of this pod
  std::string hostsFile;     ///< of this pod, mounted as /etc/hosts; empty = none
  std::string dnsAddress;    ///< cluster DNS; empty = the node's resolver
  std::string clusterDomain = "cluster.local";
  DnsConfig nodeResolver;                          ///< for dnsPolicy Default
  std::int64_t memoryCapacity = 0;                 ///< bytes of the node, for the OOM score
  std::map<std::string, std::string> volumePaths;  ///< volume name → directory or file on the node
};

SandboxConfig sandboxConfigOf(const Object& pod, std::uint32_t attempt, const PodSetting& setting);

/// The pod's host name: spec.hostname or its name, at most 63 characters.
std::string hostnameOf(const Object& pod);
DnsConfig dnsOf(const Object& pod, const PodSetting& setting);
/// Content of the pod's /etc/hosts.
std::string hostsFileOf(const Object& pod, const std::string& podIp, const PodSetting& setting);

struct ContainerRequest {
  std::string name;
  std::uint32_t attempt = 0;
  seconds restartDelay{0};
  std::string imageRef;                         ///< what pull or look-up answered
  std::optional<ImageInfo> image;               ///< for runAsNonRoot
  std::string terminationFile;                  ///< on the node, mounted at terminationMessagePath
  std::map<std::string, std::string> subPaths;  ///< mountPath → resolved path on the node
};

/// Errors: those of the environment, and a security context that contradicts itself.
Result<ContainerConfig> containerConfigOf(const Object& pod, const ContainerRequest& request, const PodSetting& setting,
                                          const PodReferences& refs);

/// cpu shares, quota, memory limit and OOM score of a container.
LinuxResources linuxResourcesOf(const Object& pod, const json::object& container, std::int64_t memoryCapacity);
Result<ContainerSecurity> containerSecurityOf(const Object& pod, const json::object& container,
                                              const std::optional<ImageInfo>& image);

}  // namespace steer
