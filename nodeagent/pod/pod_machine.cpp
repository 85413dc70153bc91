#include "nodeagent/pod/pod_machine.h"

#include <algorithm>

#include "core/rfc3339.h"
#include "nodeagent/pod/pod_tracks.h"
#include "nodeagent/pod/restart_policy.h"

namespace steer {

namespace {

using Kind = PodAction::Kind;

/// A failed pull shows its own reason this long, then ImagePullBackOff until the next attempt.
constexpr seconds kShowPullError{3};
constexpr seconds kConfigRetry{5};
constexpr seconds kLongestSetbackWait{30};

bool isImageSetback(const Setback& s) {
  return s.reason == "ErrImagePull" || s.reason == "ImageInspectError" || s.reason == "InvalidImageName" ||
         s.reason == "ErrImageNeverPull";
}

Time retryTime(const Setback& s) { return s.at + (isImageSetback(s) ? backOffAfterFailures(s.count) : kConfigRetry); }

/// Sandboxes and volumes: 1 s doubling to 30 s.
Time quickRetryTime(const Setback& s) {
  seconds wait{1};
  for (int i = 1; i < s.count && wait < kLongestSetbackWait; ++i) wait *= 2;
  return s.at + std::min(wait, kLongestSetbackWait);
}

class Machine {
 public:
  explicit Machine(const PodInput& in)
      : in_(in), tracks_(tracksOf(in)), sandbox_(newestSandbox(in.runtime)), policy_(restartPolicyOf(in.pod)) {}

  PodDecision decide();

 private:
  bool everyMainDone() const;
  bool initFailed() const;
  bool deadlinePassed();
  bool ended();
  void live();
  bool ensureVolumes();
  bool ensureSandbox();
  bool advanceInit();
  void keep(ContainerTrack& track);
  void start(const ContainerTrack& track, std::uint32_t attempt, seconds delay);
  void restart(const ContainerTrack& track);
  void stop(const ContainerTrack& track, seconds grace, std::string reason, std::string message);
  void removeOldContainers();
  bool stopEverything(seconds grace, const std::string& message);
  void terminate();
  void wait(const std::string& container, std::string reason, std::string message = "");
  void recheckAt(Time t) {
    if (!out_.recheck || t < *out_.recheck) out_.recheck = t;
  }
  void act(PodAction action) { out_.actions.push_back(std::move(action)); }
  void noteBackOffs();

  const PodInput& in_;
  std::vector<ContainerTrack> tracks_;
  const SandboxState* sandbox_;
  RestartPolicy policy_;
  StatusExtras extras_;
  bool pullPending_ = false;  ///< an earlier container is waiting for its image: later ones wait too
  PodDecision out_;
};

PodDecision Machine::decide() {
  if (in_.pod.deleting()) {
    terminate();
  } else if (ended()) {
    if (stopEverything(seconds(terminationGraceSeconds(in_.pod)), "Stopping container of a pod that ended") &&
        in_.volumes.ready)
      act({.kind = Kind::releaseVolumes});
  } else {
    live();
  }
  out_.status = podStatusOf(in_, tracks_, extras_);
  noteBackOffs();
  return std::move(out_);
}

bool Machine::everyMainDone() const {
  return std::all_of(tracks_.begin(), tracks_.end(),
                     [&](const ContainerTrack& t) { return t.spec.role != ContainerRole::main || isDone(t, policy_); });
}

bool Machine::initFailed() const {
  if (policy_ != RestartPolicy::never) return false;
  return std::any_of(tracks_.begin(), tracks_.end(), [&](const ContainerTrack& t) {
    return t.spec.role == ContainerRole::init && t.exited() && t.newest->exitCode != 0;
  });
}

bool Machine::deadlinePassed() {
  const auto deadline = intAt(in_.pod.spec(), {"activeDeadlineSeconds"});
  const auto started = parseTime(stringAt(in_.previousStatus, {"startTime"}));
  if (deadline <= 0) return false;
  const Time end = started.value_or(in_.now) + seconds(deadline);
  if (in_.now < end) {
    recheckAt(end);
    return false;
  }
  extras_.failedReason = "DeadlineExceeded";
  extras_.failedMessage = "Pod was active on the node longer than the specified deadline";
  return true;
}

/// The pod reached its end by itself: nothing of it is started any more.
bool Machine::ended() {
  if (isTerminalPhase(stringAt(in_.previousStatus, {"phase"}))) return true;
  return deadlinePassed() || everyMainDone() || initFailed();
}

void Machine::live() {
  if (!ensureVolumes() || !ensureSandbox()) {
    for (const auto& t : tracks_)
      if (!t.newest) wait(t.spec.name, std::string(firstWaitingReason(in_.pod)));
    return;
  }
  const bool initialized = advanceInit();
  for (auto& t : tracks_) {
    if (t.spec.role != ContainerRole::main) continue;
    if (initialized) {
      keep(t);
    } else if (!t.in(sandbox_)) {
      wait(t.spec.name, "PodInitializing");
    }
  }
  removeOldContainers();
}

bool Machine::ensureVolumes() {
  if (in_.volumes.ready) return true;
  if (in_.volumes.setback) {
    const Time retry = quickRetryTime(*in_.volumes.setback);
    if (in_.now < retry) {
      recheckAt(retry);
      return false;
    }
  }
  act({.kind = Kind::setUpVolumes});
  return false;
}

bool Machine::ensureSandbox() {
  if (sandbox_ && sandbox_->ready) return true;
  // The namespaces of a lost sandbox are gone: what still runs in it is stopped first.
  bool running = false;
  for (const auto& t : tracks_) {
    if (!t.alive()) continue;
    running = true;
    stop(t, seconds(terminationGraceSeconds(in_.pod)), "Killing",
         "Pod sandbox changed, it will be killed and re-created.");
  }
  if (running) return false;
  if (in_.sandboxSetback) {
    const Time retry = quickRetryTime(*in_.sandboxSetback);
    if (in_.now < retry) {
      recheckAt(retry);
      return false;
    }
  }
  if (sandbox_) {
    act({.kind = Kind::stopSandbox, .id = sandbox_->id});
    out_.events.push_back({"Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.", ""});
  }
  act({.kind = Kind::runSandbox, .attempt = sandbox_ ? sandbox_->attempt + 1 : 0});
  return false;
}

/// True when the main containers may start.
bool Machine::advanceInit() {
  const bool mainBegan = std::any_of(tracks_.begin(), tracks_.end(), [&](const ContainerTrack& t) {
    return t.spec.role == ContainerRole::main && t.in(sandbox_);
  });
  for (auto& t : tracks_) {
    if (t.spec.role == ContainerRole::main) break;
    if (t.spec.role == ContainerRole::init) {
      if (mainBegan || (t.in(sandbox_) && isDone(t, policy_))) continue;
      keep(t);
      return false;
    }
    keep(t);
    if (!mainBegan && !isStarted(t)) return false;
  }
  return true;
}

/// One container towards running.
void Machine::keep(ContainerTrack& t) {
  if (!t.in(sandbox_)) {
    if (t.spec.role == ContainerRole::main && isDone(t, policy_)) return;
    if (t.newest) return start(t, t.newest->attempt + 1, delayForSuccessorOf(*t.newest));
    const bool ranBefore = t.previous && !stringAt(*t.previous, {"containerID"}).empty();
    const auto attempt = ranBefore ? intAt(*t.previous, {"restartCount"}) + 1 : 0;
    return start(t, static_cast<std::uint32_t>(attempt), attempt > 0 ? kFirstBackOff : seconds{0});
  }
  const auto grace = seconds(terminationGraceSeconds(in_.pod));
  switch (t.newest->phase) {
    case ContainerPhase::starting:
      wait(t.spec.name, std::string(firstWaitingReason(in_.pod)));
      return;
    case ContainerPhase::created:
      // Made by an agent that ended before starting it: made anew under the same number.
      act({.kind = Kind::removeContainer, .container = t.spec.name, .id = t.newest->id, .attempt = t.newest->attempt});
      start(t, t.newest->attempt, t.older ? delayForSuccessorOf(*t.older) : seconds{0});
      return;
    case ContainerPhase::unknown:
      stop(t, grace, "Killing", "Container " + t.spec.name + " is in an unknown state, it will be restarted");
      return;
    case ContainerPhase::exited:
      if (!isDone(t, policy_)) restart(t);
      return;
    case ContainerPhase::running:
      break;
  }
  if (t.newest->readyAt && in_.now < *t.newest->readyAt) recheckAt(*t.newest->readyAt);
  if (t.facts->probedId == t.newest->id && t.facts->livenessFailed) {
    stop(t, t.facts->probeGrace.value_or(grace), "Killing", *t.facts->livenessFailed);
  } else if (t.newest->image != stringAt(*t.spec.json, {"image"})) {
    stop(t, grace, "Killing", "Container " + t.spec.name + " definition changed, will be restarted");
  }
}

void Machine::restart(const ContainerTrack& t) {
  const seconds delay = restartDelayAfter(*t.newest);
  const Time due = t.newest->finishedAt + delay;
  if (in_.now < due) {
    const auto& pod = in_.pod;
    wait(t.spec.name, "CrashLoopBackOff",
         "back-off " + std::to_string(delay.count()) + "s restarting failed container=" + t.spec.name +
             " pod=" + pod.name() + "_" + pod.ns() + "(" + pod.uid() + ")");
    recheckAt(due);
    return;
  }
  start(t, t.newest->attempt + 1, delayForSuccessorOf(*t.newest));
}

void Machine::start(const ContainerTrack& t, std::uint32_t attempt, seconds delay) {
  const auto image = std::string(stringAt(*t.spec.json, {"image"}));
  if (const auto& setback = t.facts->setback) {
    const Time retry = retryTime(*setback);
    if (in_.now < retry) {
      const Time flip = setback->at + kShowPullError;
      if (setback->reason == "ErrImagePull" && in_.now >= flip) {
        wait(t.spec.name, "ImagePullBackOff", "Back-off pulling image \"" + image + "\": " + setback->message);
      } else {
        wait(t.spec.name, setback->reason, setback->message);
        if (setback->reason == "ErrImagePull") recheckAt(flip);
      }
      recheckAt(retry);
      return;
    }
  }
  if (!t.newest) wait(t.spec.name, std::string(firstWaitingReason(in_.pod)));
  if (!t.facts->imageReady) {
    pullPending_ = true;
    act({.kind = Kind::pullImage, .container = t.spec.name, .message = image});
  } else if (!pullPending_) {
    act({.kind = Kind::startContainer,
         .container = t.spec.name,
         .id = sandbox_->id,
         .attempt = attempt,
         .restartDelay = delay});
  }
}

void Machine::stop(const ContainerTrack& t, seconds grace, std::string reason, std::string message) {
  act({.kind = Kind::stopContainer,
       .container = t.spec.name,
       .id = t.newest->id,
       .grace = grace,
       .reason = std::move(reason),
       .message = std::move(message)});
}

/// Of each container the newest and the one before it stay (for its log); older ones go, and so do
/// sandboxes that were replaced.
void Machine::removeOldContainers() {
  for (const auto& c : in_.runtime.containers) {
    if (c.phase != ContainerPhase::exited) continue;
    const auto kept = std::any_of(tracks_.begin(), tracks_.end(),
                                  [&](const ContainerTrack& t) { return t.newest == &c || t.older == &c; });
    if (!kept) act({.kind = Kind::removeContainer, .container = c.name, .id = c.id, .attempt = c.attempt});
  }
  for (const auto& s : in_.runtime.sandboxes) {
    const bool used = std::any_of(tracks_.begin(), tracks_.end(), [&](const ContainerTrack& t) {
      return (t.newest && t.newest->sandboxId == s.id) || (t.older && t.older->sandboxId == s.id);
    });
    if (&s != sandbox_ && !used) act({.kind = Kind::removeSandbox, .id = s.id});
  }
}

/// True when no process of the pod is left. Sidecars end after the others, in reverse order.
bool Machine::stopEverything(seconds grace, const std::string& message) {
  bool alive = false;
  for (const auto& t : tracks_) {
    if (t.spec.role == ContainerRole::sidecar || !t.alive()) continue;
    alive = true;
    stop(t, grace, "Killing", message);
  }
  if (alive) return false;
  for (auto t = tracks_.rbegin(); t != tracks_.rend(); ++t) {
    if (!t->alive()) continue;
    stop(*t, grace, "Killing", message);
    return false;
  }
  // Containers that the specification no longer names.
  for (const auto& c : in_.runtime.containers) {
    if (c.phase == ContainerPhase::exited || c.phase == ContainerPhase::created) continue;
    alive = true;
    act({.kind = Kind::stopContainer,
         .container = c.name,
         .id = c.id,
         .grace = grace,
         .reason = "Killing",
         .message = message});
  }
  if (alive) return false;
  for (const auto& s : in_.runtime.sandboxes) {
    if (!s.ready) continue;
    alive = true;
    act({.kind = Kind::stopSandbox, .id = s.id});
  }
  return !alive;
}

/// The pod's object is being deleted.
void Machine::terminate() {
  auto grace = seconds(intAt(in_.pod.metadata(), {"deletionGracePeriodSeconds"}, terminationGraceSeconds(in_.pod)));
  if (const auto end = in_.pod.deletionTime(); end && grace > seconds{0}) {
    const auto left = std::chrono::ceil<seconds>(*end - in_.now);
    grace = std::clamp(left, seconds{1}, grace);
  }
  if (!stopEverything(grace, "Stopping container")) return;
  extras_.over = true;
  // How each container ended is in the status before the runtime forgets it.
  for (const auto& s : in_.runtime.sandboxes) act({.kind = Kind::removeSandbox, .id = s.id});
  if (!in_.runtime.sandboxes.empty()) return;
  for (const auto& c : in_.runtime.containers)
    act({.kind = Kind::removeContainer, .container = c.name, .id = c.id, .attempt = c.attempt});
  if (!in_.runtime.empty()) return;
  if (!in_.released) {
    act({.kind = Kind::releaseEverything});
    return;
  }
  out_.finished = true;
}

void Machine::wait(const std::string& container, std::string reason, std::string message) {
  extras_.waiting[container] = {std::move(reason), std::move(message)};
}

/// Entering a back-off is worth an event.
void Machine::noteBackOffs() {
  for (const auto& t : tracks_) {
    const auto found = extras_.waiting.find(t.spec.name);
    if (found == extras_.waiting.end()) continue;
    const auto& [reason, message] = found->second;
    if (reason != "CrashLoopBackOff" && reason != "ImagePullBackOff") continue;
    if (t.previous && stringAt(*t.previous, {"state", "waiting", "reason"}) == reason) continue;
    out_.events.push_back({reason == "CrashLoopBackOff" ? "Warning" : "Normal", "BackOff",
                           reason == "CrashLoopBackOff"
                               ? "Back-off restarting failed container " + t.spec.name + " in pod " + in_.pod.name()
                               : "Back-off pulling image \"" + std::string(stringAt(*t.spec.json, {"image"})) + "\"",
                           t.spec.name});
  }
}

}  // namespace

PodDecision decidePod(const PodInput& input) { return Machine(input).decide(); }

}  // namespace steer
