#include "core/rfc3339.h"
#include "nodeagent/pod/pod_tracks.h"

namespace steer {

namespace {

std::string idText(const PodInput& in, const ContainerState& c) { return in.node.runtimeName + "://" + c.id; }

json::object terminatedState(const PodInput& in, const ContainerState& c) {
  json::object out{{"exitCode", c.exitCode}};
  out["reason"] = !c.reason.empty() ? c.reason : c.exitCode == 0 ? "Completed" : "Error";
  if (!c.message.empty()) out["message"] = c.message;
  out["startedAt"] = c.startedAt == Time{} ? json::value(nullptr) : json::value(formatTime(c.startedAt));
  out["finishedAt"] = c.finishedAt == Time{} ? json::value(nullptr) : json::value(formatTime(c.finishedAt));
  out["containerID"] = idText(in, c);
  return out;
}

json::object lostState(const json::object& previous) {
  json::object out{{"exitCode", kLostExitCode}, {"reason", "ContainerStatusUnknown"}};
  out["message"] = "The container could not be located when the pod was terminated";
  out["startedAt"] = find(previous, {"state", "running", "startedAt"})
                         ? *find(previous, {"state", "running", "startedAt"})
                         : json::value(nullptr);
  out["finishedAt"] = nullptr;
  if (const auto* id = previous.if_contains("containerID")) out["containerID"] = *id;
  return out;
}

/// The last time this container ended before what `state` shows.
json::object lastState(const PodInput& in, const ContainerTrack& t, bool newestShownAsEnded) {
  const ContainerState* ended = nullptr;
  if (t.exited() && !newestShownAsEnded) {
    ended = t.newest;
  } else if (t.older && t.older->phase == ContainerPhase::exited) {
    ended = t.older;
  }
  if (ended) return {{"terminated", terminatedState(in, *ended)}};
  if (!t.previous) return {};
  // The runtime no longer holds it: what the status said stays true.
  const bool sameContainer = t.newest && stringAt(*t.previous, {"containerID"}) == idText(in, *t.newest);
  if (!sameContainer && t.newest) {
    if (const auto* state = find(*t.previous, {"state", "terminated"})) return {{"terminated", *state}};
    if (find(*t.previous, {"state", "running"})) return {{"terminated", lostState(*t.previous)}};
  }
  return objectAt(*t.previous, {"lastState"});
}

json::object waitingState(const WaitingReasons::mapped_type& why) {
  json::object waiting{{"reason", why.reason}};
  if (!why.message.empty()) waiting["message"] = why.message;
  return {{"waiting", std::move(waiting)}};
}

}  // namespace

std::string_view firstWaitingReason(const Object& pod) {
  return arrayAt(pod.spec(), {"initContainers"}).empty() ? "ContainerCreating" : "PodInitializing";
}

json::object containerStatusOf(const PodInput& in, const ContainerTrack& t, const StatusExtras& extras) {
  json::object out{{"name", t.spec.name}};
  const auto why = extras.waiting.find(t.spec.name);
  json::object state;
  bool ended = false;
  if (t.running()) {
    state["running"] = json::object{{"startedAt", formatTime(t.newest->startedAt)}};
  } else if (why != extras.waiting.end()) {
    state = waitingState(why->second);
  } else if (t.exited()) {
    state["terminated"] = terminatedState(in, *t.newest);
    ended = true;
  } else if (!t.newest && t.previous && find(*t.previous, {"state", "terminated"})) {
    state["terminated"] = *find(*t.previous, {"state", "terminated"});
  } else if (!t.newest && t.previous && find(*t.previous, {"state", "running"})) {
    state["terminated"] = lostState(*t.previous);
  } else if (extras.over && (extras.initialized || t.spec.role != ContainerRole::main)) {
    state["terminated"] = lostState({});
  } else {
    state = waitingState({std::string(firstWaitingReason(in.pod)), ""});
  }
  out["state"] = std::move(state);
  out["lastState"] = lastState(in, t, ended);
  out["ready"] = isReady(t, in.now);
  out["started"] = isStarted(t);
  const auto remembered = t.previous ? intAt(*t.previous, {"restartCount"}) : 0;
  out["restartCount"] = std::max<std::int64_t>(t.newest ? t.newest->attempt : 0, remembered);
  out["image"] = stringAt(*t.spec.json, {"image"});
  out["imageID"] = t.newest && !t.newest->imageId.empty() ? std::string_view(t.newest->imageId)
                   : t.previous                           ? stringAt(*t.previous, {"imageID"})
                                                          : "";
  const auto known = t.previous ? stringAt(*t.previous, {"containerID"}) : std::string_view{};
  // A container that never started is no run of it.
  const bool ran =
      t.newest && t.newest->phase != ContainerPhase::created && t.newest->phase != ContainerPhase::starting;
  const auto id = ran ? idText(in, *t.newest) : std::string(known);
  if (!id.empty()) out["containerID"] = id;
  return out;
}

}  // namespace steer
