#pragma once
// The life of a pod on its node as one pure function:
// (specification, what the runtime holds, volumes, probes, now) → actions and status.
// The agent executes the actions, observes the runtime again and asks again. Level-based: whatever
// was interrupted is seen in the runtime's state and continued from there.
// Source of the rules: Kubernetes documentation, "Pod Lifecycle", "Init Containers", "Sidecar Containers".
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/object.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

/// Something that did not work, with what is needed to back off.
struct Setback {
  std::string reason;  ///< ErrImagePull, CreateContainerConfigError, FailedCreatePodSandBox, …
  std::string message;
  Time at{};
  int count = 1;  ///< failures in a row
};

/// What the agent knows of a container beyond the runtime's state.
struct ContainerFacts {
  bool imageReady = false;
  bool hookRunning = false;  ///< its postStart hook has not ended: it does not count as started
  std::optional<Setback> setback;
  /// The probes below are about this container; they say nothing of another one.
  std::string probedId;
  bool startupPassed = false;
  std::optional<bool> ready;                  ///< nothing = not probed yet
  std::optional<std::string> livenessFailed;  ///< the message of the failure that kills
  std::optional<seconds> probeGrace;          ///< of the probe that failed; nothing = the pod's
};

struct VolumeFacts {
  bool ready = false;
  std::optional<Setback> setback;
};

struct NodeFacts {
  std::string name;
  std::string address;                     ///< status.hostIP
  std::vector<std::string> hostIps;        ///< status.hostIPs; empty = {address}
  std::string runtimeName = "containerd";  ///< prefix of container ids
};

struct PodInput {
  const Object& pod;
  const json::object& previousStatus;  ///< the status as last written or read
  const PodRuntimeState& runtime;
  VolumeFacts volumes{};
  std::optional<Setback> sandboxSetback{};
  std::map<std::string, ContainerFacts> facts{};
  NodeFacts node{};
  bool released = false;  ///< volumes, cgroup and files of the pod are gone
  Time now{};
};

struct PodAction {
  enum class Kind {
    setUpVolumes,
    runSandbox,        ///< attempt
    stopSandbox,       ///< id
    removeSandbox,     ///< id
    pullImage,         ///< container
    startContainer,    ///< container, attempt, restartDelay; sandbox id in `id`
    stopContainer,     ///< container, id, grace, reason, message
    removeContainer,   ///< id, container, attempt
    releaseVolumes,    ///< the pod ended but its object stays
    releaseEverything  ///< volumes, cgroup, files
  };
  Kind kind = Kind::setUpVolumes;
  std::string container{};
  std::string id{};
  std::uint32_t attempt = 0;
  seconds grace{0};
  seconds restartDelay{0};
  std::string reason{};
  std::string message{};
};

struct PodEventNote {
  std::string type;  ///< Normal | Warning
  std::string reason;
  std::string message;
  std::string container;  ///< empty = about the pod
};

struct PodDecision {
  /// To be executed in order; pullImage and stopContainer may run beside the others.
  std::vector<PodAction> actions;
  json::object status;  ///< complete, replaces the previous one
  std::vector<PodEventNote> events;
  std::optional<Time> recheck;
  /// The pod is being deleted and nothing of it is left: remove its object.
  bool finished = false;
};

PodDecision decidePod(const PodInput& input);

}  // namespace steer
