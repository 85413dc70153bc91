#include <algorithm>

#include "core/rfc3339.h"
#include "nodeagent/pod/pod_tracks.h"

namespace steer {

namespace {

class StatusBuilder {
 public:
  StatusBuilder(const PodInput& in, const std::vector<ContainerTrack>& tracks, const StatusExtras& extras)
      : in_(in), tracks_(tracks), extras_(extras), policy_(restartPolicyOf(in.pod)) {}

  json::object build();

 private:
  std::string phase() const;
  void addresses(json::object& status) const;
  void conditions(json::object& status);
  void setCondition(json::array& list, std::string_view type, bool value, std::string_view reason = "",
                    const std::string& message = "") const;
  std::string unready() const;
  std::string uninitialized() const;
  bool gatesReady(const json::array& list) const;
  /// How a main container ended: nothing while it did not, or will run again.
  struct End {
    bool ended = false;
    int exitCode = 0;
  };
  End endOf(const ContainerTrack& t) const;
  bool began(const ContainerTrack& t) const;

  const PodInput& in_;
  const std::vector<ContainerTrack>& tracks_;
  StatusExtras extras_;
  RestartPolicy policy_;
  std::string phase_;
};

StatusBuilder::End StatusBuilder::endOf(const ContainerTrack& t) const {
  if (t.exited()) return {true, t.newest->exitCode};
  if (t.newest || !t.previous) return {};
  if (const auto* ended = find(*t.previous, {"state", "terminated"}))
    return {true, static_cast<int>(intAt(*ended, {"exitCode"}))};
  if (find(*t.previous, {"state", "running"})) return {true, kLostExitCode};
  return {};
}

bool StatusBuilder::began(const ContainerTrack& t) const {
  if (t.newest) return t.newest->phase == ContainerPhase::running || t.newest->phase == ContainerPhase::exited;
  return t.previous && !stringAt(*t.previous, {"containerID"}).empty();
}

std::string StatusBuilder::phase() const {
  const auto before = stringAt(in_.previousStatus, {"phase"});
  if (isTerminalPhase(before)) return std::string(before);
  if (!extras_.failedReason.empty()) return "Failed";
  bool anyRunning = false;
  bool anyWaiting = false;
  bool anyFailed = false;
  bool allEnded = true;
  for (const auto& t : tracks_) {
    if (t.spec.role == ContainerRole::sidecar) continue;
    const auto [ended, exitCode] = endOf(t);
    if (t.spec.role == ContainerRole::init) {
      if (ended && exitCode != 0 && policy_ == RestartPolicy::never) return "Failed";
      continue;
    }
    if (ended) {
      anyFailed = anyFailed || exitCode != 0;
    } else {
      allEnded = false;
      (began(t) ? anyRunning : anyWaiting) = true;
    }
  }
  // Nothing of a deleted pod runs any more and nothing will: what never ran did not succeed.
  if (extras_.over && !allEnded) return "Failed";
  if (anyWaiting) return "Pending";
  if (!allEnded || anyRunning) return "Running";
  if (policy_ == RestartPolicy::always && !in_.pod.deleting()) return "Running";
  if (!anyFailed) return "Succeeded";
  if (policy_ == RestartPolicy::never || in_.pod.deleting()) return "Failed";
  return "Running";
}

void StatusBuilder::addresses(json::object& status) const {
  const auto& node = in_.node;
  if (!node.address.empty()) {
    status["hostIP"] = node.address;
    json::array ips;
    for (const auto& ip : node.hostIps) ips.push_back(json::object{{"ip", ip}});
    if (ips.empty()) ips.push_back(json::object{{"ip", node.address}});
    status["hostIPs"] = std::move(ips);
  }
  const auto* sandbox = newestSandbox(in_.runtime);
  std::vector<std::string> ips;
  if (sandbox && sandbox->ready) ips = sandbox->ips;
  if (usesHostNetwork(in_.pod) && sandbox && !node.address.empty()) ips = {node.address};
  if (ips.empty()) {
    // The address stays known until the pod is gone or gets another one.
    for (const auto* key : {"podIP", "podIPs"})
      if (const auto* old = in_.previousStatus.if_contains(key)) status[key] = *old;
    return;
  }
  status["podIP"] = ips.front();
  json::array list;
  for (const auto& ip : ips) list.push_back(json::object{{"ip", ip}});
  status["podIPs"] = std::move(list);
}

std::string StatusBuilder::unready() const {
  std::string names;
  for (const auto& t : tracks_) {
    if (t.spec.role == ContainerRole::init || isReady(t, in_.now)) continue;
    names += (names.empty() ? "" : " ") + t.spec.name;
  }
  return names;
}

std::string StatusBuilder::uninitialized() const {
  const bool mainBegan = std::any_of(tracks_.begin(), tracks_.end(), [&](const ContainerTrack& t) {
    return t.spec.role == ContainerRole::main && began(t);
  });
  if (mainBegan) return "";
  std::string names;
  for (const auto& t : tracks_) {
    if (t.spec.role == ContainerRole::main) continue;
    const auto [ended, exitCode] = endOf(t);
    const bool done = t.spec.role == ContainerRole::init ? ended && exitCode == 0 : isStarted(t);
    if (!done) names += (names.empty() ? "" : " ") + t.spec.name;
  }
  return names;
}

void StatusBuilder::setCondition(json::array& list, std::string_view type, bool value, std::string_view reason,
                                 const std::string& message) const {
  json::object made{{"type", jkey(type)}, {"status", value ? "True" : "False"}, {"lastProbeTime", nullptr}};
  made["lastTransitionTime"] = formatTime(in_.now);
  if (in_.pod.generation() > 0) made["observedGeneration"] = in_.pod.generation();
  if (!reason.empty()) made["reason"] = jkey(reason);
  if (!message.empty()) made["message"] = message;
  for (auto& item : list) {
    if (stringAt(item, {"type"}) != type) continue;
    if (stringAt(item, {"status"}) == stringAt(made, {"status"}) && item.as_object().contains("lastTransitionTime"))
      made["lastTransitionTime"] = item.as_object()["lastTransitionTime"];
    item = std::move(made);
    return;
  }
  list.push_back(std::move(made));
}

bool StatusBuilder::gatesReady(const json::array& list) const {
  for (const auto& gate : arrayAt(in_.pod.spec(), {"readinessGates"})) {
    const auto type = stringAt(gate, {"conditionType"});
    const bool open = std::any_of(list.begin(), list.end(), [&](const json::value& c) {
      return stringAt(c, {"type"}) == type && stringAt(c, {"status"}) == "True";
    });
    if (!open) return false;
  }
  return true;
}

void StatusBuilder::conditions(json::object& status) {
  json::array list = arrayAt(in_.previousStatus, {"conditions"});
  // Conditions of others (the scheduler, readiness gates) are taken from the object as it is now.
  for (const auto& theirs : arrayAt(in_.pod.status(), {"conditions"})) {
    const auto type = stringAt(theirs, {"type"});
    static constexpr std::string_view kOurs[] = {"PodReadyToStartContainers", "Initialized", "ContainersReady",
                                                 "Ready"};
    if (std::find(std::begin(kOurs), std::end(kOurs), type) != std::end(kOurs)) continue;
    auto same =
        std::find_if(list.begin(), list.end(), [&](const json::value& c) { return stringAt(c, {"type"}) == type; });
    if (same == list.end()) {
      list.push_back(theirs);
    } else {
      *same = theirs;
    }
  }
  const auto* sandbox = newestSandbox(in_.runtime);
  const bool succeeded = phase_ == "Succeeded";
  const bool over = succeeded || phase_ == "Failed";
  // A sandbox is made after the volumes, so its being there tells both.
  setCondition(list, "PodReadyToStartContainers", sandbox && sandbox->ready);
  const auto incomplete = uninitialized();
  if (succeeded) {
    setCondition(list, "Initialized", true, "PodCompleted");
  } else {
    setCondition(list, "Initialized", incomplete.empty(), incomplete.empty() ? "" : "ContainersNotInitialized",
                 incomplete.empty() ? "" : "containers with incomplete status: [" + incomplete + "]");
  }
  const auto names = unready();
  const bool ready = names.empty() && !over && sandbox != nullptr;
  const std::string_view reason = succeeded ? "PodCompleted" : over ? "PodFailed" : ready ? "" : "ContainersNotReady";
  const auto message = ready || over ? "" : "containers with unready status: [" + names + "]";
  setCondition(list, "ContainersReady", ready, reason, message);
  if (ready && !gatesReady(list)) {
    setCondition(list, "Ready", false, "ReadinessGatesNotReady", "a condition named in readinessGates is not True");
  } else {
    setCondition(list, "Ready", ready, reason, message);
  }
  setCondition(list, "PodScheduled", true);
  status["conditions"] = std::move(list);
}

json::object StatusBuilder::build() {
  json::object status;
  phase_ = phase();
  status["phase"] = phase_;
  for (const auto* key : {"reason", "message"})
    if (const auto* old = in_.previousStatus.if_contains(key)) status[key] = *old;
  if (!extras_.failedReason.empty()) {
    status["reason"] = extras_.failedReason;
    status["message"] = extras_.failedMessage;
  }
  const auto* started = in_.previousStatus.if_contains("startTime");
  status["startTime"] = started ? *started : json::value(formatTime(in_.now));
  status["qosClass"] = qosClassOf(in_.pod);
  addresses(status);
  conditions(status);
  extras_.initialized = uninitialized().empty();
  json::array init;
  json::array main;
  for (const auto& t : tracks_)
    (t.spec.role == ContainerRole::main ? main : init).push_back(containerStatusOf(in_, t, extras_));
  if (!init.empty()) status["initContainerStatuses"] = std::move(init);
  status["containerStatuses"] = std::move(main);
  if (in_.pod.generation() > 0) status["observedGeneration"] = in_.pod.generation();
  for (const auto* key : {"nominatedNodeName", "ephemeralContainerStatuses"})
    if (const auto* old = in_.pod.status().if_contains(key)) status[key] = *old;
  return status;
}

}  // namespace

json::object podStatusOf(const PodInput& input, const std::vector<ContainerTrack>& tracks, const StatusExtras& extras) {
  return StatusBuilder(input, tracks, extras).build();
}

}  // namespace steer
