#include "nodeagent/pod/pod_tracks.h"

namespace steer {

namespace {

const json::object* statusEntry(const json::object& status, ContainerRole role, std::string_view name) {
  const std::string_view list = role == ContainerRole::main ? "containerStatuses" : "initContainerStatuses";
  for (const auto& item : arrayAt(status, {list}))
    if (item.is_object() && stringAt(item, {"name"}) == name) return &item.get_object();
  return nullptr;
}

void match(const PodRuntimeState& runtime, ContainerTrack& track) {
  for (const auto& c : runtime.containers) {
    if (c.name != track.spec.name) continue;
    if (!track.newest || c.attempt > track.newest->attempt) {
      track.older = track.newest;
      track.newest = &c;
    } else if (!track.older || c.attempt > track.older->attempt) {
      track.older = &c;
    }
  }
}

bool remembered(const ContainerTrack& track, std::string_view field) {
  return track.previous && track.newest && boolAt(*track.previous, {field}) &&
         stringAt(*track.previous, {"containerID"}).ends_with("//" + track.newest->id);
}

}  // namespace

bool ContainerTrack::alive() const {
  return newest && (newest->phase == ContainerPhase::running || newest->phase == ContainerPhase::starting ||
                    newest->phase == ContainerPhase::unknown);
}

std::vector<ContainerTrack> tracksOf(const PodInput& input) {
  static const ContainerFacts kNoFacts;
  std::vector<ContainerTrack> out;
  for (auto& spec : containersOf(input.pod)) {
    ContainerTrack track;
    track.spec = std::move(spec);
    match(input.runtime, track);
    const auto found = input.facts.find(track.spec.name);
    track.facts = found == input.facts.end() ? &kNoFacts : &found->second;
    track.previous = statusEntry(input.previousStatus, track.spec.role, track.spec.name);
    out.push_back(std::move(track));
  }
  return out;
}

const SandboxState* newestSandbox(const PodRuntimeState& runtime) {
  const SandboxState* newest = nullptr;
  for (const auto& s : runtime.sandboxes)
    if (!newest || s.attempt > newest->attempt) newest = &s;
  return newest;
}

bool isStarted(const ContainerTrack& track) {
  if (!track.running() || track.facts->hookRunning) return false;
  if (!find(*track.spec.json, {"startupProbe"})) return true;
  if (track.facts->probedId == track.newest->id && track.facts->startupPassed) return true;
  // A restarted agent has probed nothing yet: what was started stays started.
  return remembered(track, "started");
}

bool isReady(const ContainerTrack& track, Time now) {
  if (track.spec.role == ContainerRole::init) return track.exited() && track.newest->exitCode == 0;
  if (!isStarted(track)) return false;
  if (track.newest->readyAt && now < *track.newest->readyAt) return false;
  if (!find(*track.spec.json, {"readinessProbe"})) return true;
  if (track.facts->probedId == track.newest->id && track.facts->ready) return *track.facts->ready;
  return remembered(track, "ready");
}

bool isDone(const ContainerTrack& track, RestartPolicy policy) {
  if (track.spec.role == ContainerRole::sidecar) return false;
  bool ended = track.exited();
  int exitCode = ended ? track.newest->exitCode : 0;
  if (!track.newest && track.previous) {
    // The runtime forgot it (its sandbox is gone); the status remembers how it ended.
    const auto* state = find(*track.previous, {"state", "terminated"});
    ended = state != nullptr;
    exitCode = ended ? static_cast<int>(intAt(*state, {"exitCode"})) : 0;
    if (find(*track.previous, {"state", "running"})) {
      ended = true;
      exitCode = kLostExitCode;
    }
  }
  if (!ended) return false;
  if (track.spec.role == ContainerRole::init) return exitCode == 0 || policy == RestartPolicy::never;
  if (policy == RestartPolicy::always) return false;
  return policy == RestartPolicy::never || exitCode == 0;
}

}  // namespace steer
