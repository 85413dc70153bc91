#pragma once
// Each container of the specification beside what the runtime holds of it. Pure.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nodeagent/pod/container_spec.h"
#include "nodeagent/pod/pod_machine.h"

namespace steer {

/// The exit code reported for a container that ran and is no longer known to the runtime.
inline constexpr int kLostExitCode = 137;

struct ContainerTrack {
  ContainerSpec spec;
  const ContainerState* newest = nullptr;  ///< highest attempt
  const ContainerState* older = nullptr;   ///< the one before it
  const ContainerFacts* facts = nullptr;   ///< never null
  const json::object* previous = nullptr;  ///< its previous ContainerStatus; may be null

  bool running() const { return newest && newest->phase == ContainerPhase::running; }
  bool exited() const { return newest && newest->phase == ContainerPhase::exited; }
  /// It may hold processes: running, starting or unknown.
  bool alive() const;
  bool in(const SandboxState* sandbox) const { return newest && sandbox && newest->sandboxId == sandbox->id; }
};

std::vector<ContainerTrack> tracksOf(const PodInput& input);
/// The sandbox with the highest attempt; nullptr when there is none.
const SandboxState* newestSandbox(const PodRuntimeState& runtime);

/// Running and past its startup probe.
bool isStarted(const ContainerTrack& track);
/// Started and its readiness probe (if any) succeeded; a finished init container is ready too.
bool isReady(const ContainerTrack& track, Time now);
/// It ended, and the pod's policy does not start it again (main containers and init containers).
bool isDone(const ContainerTrack& track, RestartPolicy policy);

/// Why a container waits, by container name: decided by the machine, shown by the status.
struct Waiting {
  std::string reason;
  std::string message;
};
using WaitingReasons = std::map<std::string, Waiting>;

/// Why a container waits that was never started: PodInitializing where the pod has init containers, else
/// ContainerCreating.
std::string_view firstWaitingReason(const Object& pod);

struct StatusExtras {
  WaitingReasons waiting;
  std::string failedReason{};  ///< the machine ended the pod: DeadlineExceeded
  std::string failedMessage{};
  bool over = false;        ///< the pod is being deleted and none of its processes is left
  bool initialized = true;  ///< its init containers did what they are for
};

/// The whole PodStatus.
json::object podStatusOf(const PodInput& input, const std::vector<ContainerTrack>& tracks, const StatusExtras& extras);

/// One entry of containerStatuses.
json::object containerStatusOf(const PodInput& input, const ContainerTrack& track, const StatusExtras& extras);

}  // namespace steer
