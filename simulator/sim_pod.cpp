#include "simulator/sim_pod.h"

#include <algorithm>
#include <charconv>

#include "core/duration.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::string_view kPrefix = "simulator.steersman.dev/";

std::string_view setting(const Object& pod, std::string_view name) {
  return pod.annotation(std::string(kPrefix) + std::string(name));
}

Duration durationSetting(const Object& pod, std::string_view name, Duration fallback) {
  const auto text = setting(pod, name);
  return text.empty() ? fallback : parseDuration(text).value_or(fallback);
}

int exitCodeOf(const Object& pod) {
  const auto text = setting(pod, "exit-code");
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

Duration backoff(int restarts) {
  const auto factor = std::int64_t{1} << std::min(restarts, 5);
  return std::min<Duration>(seconds(10) * factor, seconds(300));
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

std::optional<Time> SimPodLife::advance(const Object& pod, const Delays& defaults, Time now) {
  for (;;) {
    Time due{};
    switch (phase) {
      case Phase::waiting: {
        due = since + durationSetting(pod, "start-delay", defaults.start);
        if (now < due) return due;
        const bool pullable = setting(pod, "pull-error").empty();
        phase = pullable ? Phase::running : Phase::pullFailed;
        since = due;
        if (pullable) startedAt = due;
        break;
      }
      case Phase::running: {
        const auto exitAfter = setting(pod, "exit-after");
        const auto exitAt = !exitAfter.empty()
                                ? std::optional<Time>(since + parseDuration(exitAfter).value_or(Duration{0}))
                            : defaults.exit ? std::optional<Time>(since + *defaults.exit)
                                            : std::optional<Time>{};
        const bool never = setting(pod, "ready-delay") == "never";
        const Time readyAt = since + durationSetting(pod, "ready-delay", defaults.ready);
        if (!never && !ready && now >= readyAt && (!exitAt || readyAt < *exitAt)) ready = true;
        if (!exitAt || now < *exitAt) {
          if (!never && !ready) return exitAt ? std::min(readyAt, *exitAt) : readyAt;
          return exitAt;
        }
        ready = false;
        lastExitCode = exitCodeOf(pod);
        finishedAt = *exitAt;
        since = *exitAt;
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
  return seen + std::min<Duration>(durationSetting(pod, "stop-delay", defaults.stop), grace);
}

json::object SimPodLife::status(const Object& pod, const std::string& podIp, const std::string& hostIp) const {
  const bool running = phase == Phase::running;
  const bool done = phase == Phase::succeeded || phase == Phase::failed;
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
                                                      : "ContainerCreating";
    state["waiting"] = json::object{{"reason", reason}};
  }
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
  const char* unready = done && phase == Phase::succeeded ? "PodCompleted" : "ContainersNotReady";
  json::object out{{"phase", phase == Phase::succeeded            ? "Succeeded"
                             : phase == Phase::failed             ? "Failed"
                             : running || phase == Phase::crashed ? "Running"
                                                                  : "Pending"},
                   {"hostIP", hostIp},
                   {"startTime", formatTime(start)},
                   {"conditions", json::array{condition("PodReadyToStartContainers", running, start),
                                              condition("Initialized", true, start),
                                              condition("Ready", ready, since, ready ? "" : unready),
                                              condition("ContainersReady", ready, since, ready ? "" : unready),
                                              condition("PodScheduled", true, pod.created().value_or(start))}},
                   {"containerStatuses", std::move(containers)}};
  if (!podIp.empty() && !done) {
    out["podIP"] = podIp;
    out["podIPs"] = json::array{json::object{{"ip", podIp}}};
  }
  return out;
}

}  // namespace steer
