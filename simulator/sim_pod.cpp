#include "simulator/sim_pod.h"

#include <algorithm>

#include "core/rfc3339.h"
#include "nodeagent/pod/sim_wishes.h"

namespace steer {
namespace {

Duration backoff(int restarts) {
  const auto factor = std::int64_t{1} << std::min(restarts, 5);
  return std::min<Duration>(seconds(10) * factor, seconds(300));
}

/// Init containers do their work in no time; sidecars run as long as the others.
json::array initStatuses(const Object& pod, bool initialized, Time start) {
  json::array out;
  for (const auto& container : arrayAt(pod.spec(), {"initContainers"})) {
    const bool sidecar = stringAt(container, {"restartPolicy"}) == "Always";
    json::object state;
    if (!initialized) state["waiting"] = json::object{{"reason", "PodInitializing"}};
    else if (sidecar) state["running"] = json::object{{"startedAt", formatTime(start)}};
    else
      state["terminated"] = json::object{{"exitCode", 0},
                                         {"reason", "Completed"},
                                         {"startedAt", formatTime(start)},
                                         {"finishedAt", formatTime(start)}};
    out.push_back(json::object{{"name", stringAt(container, {"name"})},
                               {"image", stringAt(container, {"image"})},
                               {"imageID", initialized ? "simulated" : ""},
                               {"ready", initialized},
                               {"started", initialized && sidecar},
                               {"restartCount", 0},
                               {"state", std::move(state)},
                               {"lastState", json::object{}}});
  }
  return out;
}

json::object condition(std::string_view type, bool holds, Time since, std::string_view reason = "") {
  json::object out{{"type", json::string(jkey(type))},
                   {"status", holds ? "True" : "False"},
                   {"lastProbeTime", nullptr},
                   {"lastTransitionTime", formatTime(since)}};
  if (!reason.empty()) out["reason"] = json::string(jkey(reason));
  return out;
}

}  // namespace

SimPodLife SimPodLife::begin(const Object& pod, Time now) {
  SimPodLife life;
  life.since = now;
  const auto& statuses = arrayAt(pod.status(), {"containerStatuses"});
  if (statuses.empty()) return life;
  life.restarts = static_cast<int>(intAt(statuses.front(), {"restartCount"}));
  const auto phase = stringAt(pod.status(), {"phase"});
  if (phase == "Succeeded" || phase == "Failed") {
    life.phase = phase == "Succeeded" ? Phase::succeeded : Phase::failed;
  } else if (const auto started = parseTime(stringAt(statuses.front(), {"state", "running", "startedAt"}))) {
    life.phase = Phase::running;
    life.startedAt = started;
    life.since = *started;
    life.ready = boolAt(statuses.front(), {"ready"});
  }
  return life;
}

std::optional<Time> SimPodLife::exitTime(const SimWishes& wishes, const Delays& defaults) const {
  if (wishes.exit) return since + wishes.exit->after;
  if (wishes.neverExits || !defaults.exit) return std::nullopt;
  return since + *defaults.exit;
}

std::optional<Time> SimPodLife::advance(const Object& pod, const Delays& defaults, Time now) {
  const SimWishes wishes = simWishesOf(pod);
  for (;;) {
    Time due{};
    switch (phase) {
      case Phase::waiting: {
        if (!wishes.mistake.empty()) return std::nullopt;  // until the annotation says what can be read
        due = since + wishes.start.value_or(defaults.start);
        if (now < due) return due;
        phase = wishes.pullFails ? Phase::pullFailed : Phase::running;
        since = due;
        if (!wishes.pullFails) startedAt = due;
        break;
      }
      case Phase::pullFailed:
        if (wishes.pullFails) return std::nullopt;
        phase = Phase::running;
        since = now;
        startedAt = now;
        break;
      case Phase::running: {
        const auto exitAt = exitTime(wishes, defaults);
        const Time readyAt = since + wishes.ready.value_or(defaults.ready);
        if (wishes.neverReady) ready = false;
        else if (!ready && now >= readyAt && (!exitAt || readyAt < *exitAt)) ready = true;
        if (!exitAt || now < *exitAt) {
          if (!wishes.neverReady && !ready) return exitAt ? std::min(readyAt, *exitAt) : readyAt;
          return exitAt;
        }
        ready = false;
        lastExitCode = wishes.exit ? wishes.exit->code : 0;
        // An exit that is asked for of a container that runs already is now, not in its past.
        finishedAt = std::max(*exitAt, std::min(now, askedAt));
        since = *finishedAt;
        const auto policy = stringAt(pod.spec(), {"restartPolicy"}, "Always");
        if (policy == "Always" || (policy == "OnFailure" && lastExitCode != 0)) phase = Phase::crashed;
        else phase = lastExitCode == 0 ? Phase::succeeded : Phase::failed;
        break;
      }
      case Phase::crashed:
        due = since + backoff(restarts);
        if (now < due) return due;
        ++restarts;
        phase = Phase::running;
        since = due;
        startedAt = due;
        break;
      default:
        return std::nullopt;
    }
  }
}

Time SimPodLife::goneAt(const Object& pod, const Delays& defaults, Time seen) const {
  const Duration grace = seconds(intAt(pod.metadata(), {"deletionGracePeriodSeconds"}));
  return seen + std::min<Duration>(simWishesOf(pod).stop.value_or(defaults.stop), grace);
}

json::object SimPodLife::containerState(const Object& pod) const {
  const bool running = phase == Phase::running;
  const bool done = phase == Phase::succeeded || phase == Phase::failed;
  const auto mistake = phase == Phase::waiting ? simWishesOf(pod).mistake : std::string();
  const bool initFirst = !arrayAt(pod.spec(), {"initContainers"}).empty();
  json::object state;
  if (running) {
    state["running"] = json::object{{"startedAt", formatTime(startedAt.value_or(since))}};
  } else if (done) {
    state["terminated"] = json::object{{"exitCode", lastExitCode},
                                       {"reason", lastExitCode == 0 ? "Completed" : "Error"},
                                       {"startedAt", formatTime(startedAt.value_or(since))},
                                       {"finishedAt", formatTime(finishedAt.value_or(since))}};
  } else {
    const char* reason = phase == Phase::crashed      ? "CrashLoopBackOff"
                         : phase == Phase::pullFailed ? "ImagePullBackOff"
                         : !mistake.empty()           ? "CreateContainerConfigError"
                         : initFirst                  ? "PodInitializing"
                                                      : "ContainerCreating";
    json::object waiting{{"reason", reason}};
    if (!mistake.empty()) waiting["message"] = mistake;
    state["waiting"] = std::move(waiting);
  }
  return state;
}

json::object SimPodLife::status(const Object& pod, const std::string& podIp, const std::string& hostIp) const {
  const bool running = phase == Phase::running;
  const bool done = phase == Phase::succeeded || phase == Phase::failed;
  const bool initFirst = !arrayAt(pod.spec(), {"initContainers"}).empty();
  const json::object state = containerState(pod);
  json::array containers;
  for (const auto& container : arrayAt(pod.spec(), {"containers"})) {
    json::object last;
    if (restarts > 0 || phase == Phase::crashed)
      last["terminated"] = json::object{{"exitCode", lastExitCode},
                                        {"reason", lastExitCode == 0 ? "Completed" : "Error"},
                                        {"finishedAt", formatTime(finishedAt.value_or(since))}};
    containers.push_back(json::object{{"name", stringAt(container, {"name"})},
                                      {"image", stringAt(container, {"image"})},
                                      {"imageID", running || done ? "simulated" : ""},
                                      {"ready", ready},
                                      {"started", running},
                                      {"restartCount", restarts},
                                      {"state", state},
                                      {"lastState", std::move(last)}});
  }
  const Time start = startedAt.value_or(since);
  const bool initialized = running || done || phase == Phase::crashed || !initFirst;
  const char* unready = done && phase == Phase::succeeded ? "PodCompleted" : "ContainersNotReady";
  json::object out{{"phase", phase == Phase::succeeded            ? "Succeeded"
                             : phase == Phase::failed             ? "Failed"
                             : running || phase == Phase::crashed ? "Running"
                                                                  : "Pending"},
                   {"hostIP", hostIp},
                   {"startTime", formatTime(start)},
                   {"conditions", json::array{condition("PodReadyToStartContainers", running, start),
                                              condition("Initialized", initialized, start,
                                                        initialized ? "" : "ContainersNotInitialized"),
                                              condition("Ready", ready, since, ready ? "" : unready),
                                              condition("ContainersReady", ready, since, ready ? "" : unready),
                                              condition("PodScheduled", true, pod.created().value_or(start))}},
                   {"containerStatuses", std::move(containers)}};
  if (const auto generation = pod.generation(); generation > 0) {
    out["observedGeneration"] = generation;
    for (auto& item : out["conditions"].as_array()) item.as_object()["observedGeneration"] = generation;
  }
  if (initFirst) out["initContainerStatuses"] = initStatuses(pod, initialized, start);
  if (!podIp.empty() && !done) {
    out["podIP"] = podIp;
    out["podIPs"] = json::array{json::object{{"ip", podIp}}};
  }
  return out;
}

}  // namespace steer
