#include "nodeagent/agent/pod_worker.h"

#include <algorithm>

#include "core/log.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "nodeagent/pod/container_spec.h"
#include "nodeagent/pod/pod_tracks.h"

namespace steer {

namespace {

using Kind = PodAction::Kind;

/// A pull or start that failed longer ago than this is not "in a row" any more.
constexpr minutes kSetbackForgotten{10};
constexpr seconds kObserveRetry{2};
constexpr seconds kStepRetry{1};

std::string keyOf(const PodAction& action) {
  if (action.kind == Kind::pullImage) return "pull/" + action.container;
  if (action.kind != Kind::stopContainer) return "ordered";
  // A forced stop does not wait behind a patient one.
  return "stop/" + action.id + (action.grace == seconds{0} ? "/now" : "");
}

/// A step that our own fault ended is tried again like any other.
ActionOutcome faultOutcome(const Error& error) { return {Setback{"InternalError", error.message, {}, 1}, {}}; }

}  // namespace

PodWorker::PodWorker(ObjectPtr pod, NodeContext& node, PodRunner& runner, JobBoard& jobs)
    : pod_(std::move(pod)),
      node_(node),
      runner_(runner),
      jobs_(jobs),
      prober_(node, jobs),
      status_(pod_->status()),
      written_(pod_->status()) {}

void PodWorker::update(ObjectPtr pod) {
  if (lost_) return;
  pod_ = std::move(pod);
  written_ = pod_->status();
  due_ = true;
}

void PodWorker::lose(Time now) {
  if (lost_) return;
  lost_ = true;
  due_ = true;
  if (pod_->deleting()) return;
  auto body = pod_->json();
  auto& metadata = ensureObject(body, "metadata");
  const auto grace = terminationGraceSeconds(*pod_);
  metadata["deletionTimestamp"] = formatTime(now + seconds(grace));
  metadata["deletionGracePeriodSeconds"] = grace;
  pod_ = Object::make(std::move(body));
}

std::string PodWorker::podIp() const {
  if (usesHostNetwork(*pod_)) return node_.options.address;
  const auto* sandbox = newestSandbox(runtime_);
  return sandbox && !sandbox->ips.empty() ? sandbox->ips.front() : std::string();
}

void PodWorker::observe() {
  if (observing_) return;
  observing_ = true;
  observed_ = true;  // invalidated again when something happens meanwhile
  jobs_.run([&runner = runner_, uid = pod_->uid()] { return runner.observe(uid); },
            [self = weak_from_this()](Result<PodRuntimeState> state) {
              const auto worker = self.lock();
              if (!worker) return;
              worker->observing_ = false;
              worker->due_ = true;
              if (state.ok()) {
                worker->runtime_ = *std::move(state);
                worker->retryObserve_.reset();
              } else {
                worker->observed_ = false;
                worker->retryObserve_ = worker->node_.clock.now() + kObserveRetry;
              }
            });
}

std::optional<Time> PodWorker::step(Time now) {
  if (finished_) return std::nullopt;
  if (!observed_ && (!retryObserve_ || *retryObserve_ <= now)) observe();
  if (observing_) return std::nullopt;  // its end wakes the loop
  if (!observed_) return retryObserve_;
  if (pause_ && now < *pause_) return pause_;
  pause_.reset();
  const auto probe = prober_.step(pod_, runtime_, podIp(), facts_, now, [self = weak_from_this()] {
    if (const auto worker = self.lock()) worker->due_ = true;
  });
  if (due_ || (recheck_ && *recheck_ <= now)) decide(now);
  if (probe && (!recheck_ || *probe < *recheck_)) return probe;
  return recheck_;
}

void PodWorker::decide(Time now) {
  due_ = false;
  const auto decision = decidePod({*pod_,
                                   status_,
                                   runtime_,
                                   volumes_,
                                   sandboxSetback_,
                                   facts_,
                                   {node_.options.nodeName, node_.options.address, {}, "containerd"},
                                   released_,
                                   now});
  status_ = decision.status;
  recheck_ = decision.recheck;
  finished_ = decision.finished && busy_.empty();
  if (decision.finished && !busy_.empty()) due_ = true;
  dispatch(decision, now);
}

void PodWorker::dispatch(const PodDecision& decision, Time now) {
  for (const auto& event : decision.events) node_.events.note(*pod_, event, now);
  std::vector<PodAction> ordered;
  for (const auto& action : decision.actions) {
    const auto key = keyOf(action);
    if (key == "ordered") {
      ordered.push_back(action);
    } else if (!busy_.contains(key)) {
      runBeside(action, key);
    }
  }
  if (!ordered.empty() && !busy_.contains("ordered")) runOrdered(std::move(ordered));
}

ActionSurroundings PodWorker::surroundingsOf(const PodAction& action) const {
  ActionSurroundings out;
  out.podIp = podIp();
  if (const auto* sandbox = newestSandbox(runtime_)) out.sandboxAttempt = sandbox->attempt;
  if (const auto image = images_.find(action.container); image != images_.end()) out.image = image->second;
  return out;
}

void PodWorker::runBeside(const PodAction& action, const std::string& key) {
  busy_.insert(key);
  jobs_.run([&runner = runner_, pod = pod_, action,
             around = surroundingsOf(action)] { return runner.perform(*pod, action, around); },
            [self = weak_from_this(), action, key](ActionOutcome outcome) {
              const auto worker = self.lock();
              if (!worker) return;
              worker->busy_.erase(key);
              worker->take(action, std::move(outcome));
            },
            faultOutcome);
}

void PodWorker::runOrdered(std::vector<PodAction> actions) {
  busy_.insert("ordered");
  using Done = std::vector<std::pair<PodAction, ActionOutcome>>;
  std::vector<std::pair<PodAction, ActionSurroundings>> work;
  for (auto& action : actions) {
    const auto* container = action.kind == Kind::startContainer ? containerNamed(*pod_, action.container) : nullptr;
    if (container && find(*container, {"lifecycle", "postStart"})) facts_[action.container].hookRunning = true;
    auto around = surroundingsOf(action);
    work.emplace_back(std::move(action), std::move(around));
  }
  auto first = work.front().first;
  jobs_.run(
      [&runner = runner_, pod = pod_, work = std::move(work)] {
        Done done;
        for (const auto& [action, around] : work) {
          done.emplace_back(action, runner.perform(*pod, action, around));
          // Starts are independent of one another; anything else that fails stops the rest.
          if (done.back().second.setback && action.kind != Kind::startContainer) break;
        }
        return done;
      },
      [self = weak_from_this()](Done done) {
        const auto worker = self.lock();
        if (!worker) return;
        worker->busy_.erase("ordered");
        for (auto& [name, fact] : worker->facts_) fact.hookRunning = false;
        for (auto& [action, outcome] : done) worker->take(action, std::move(outcome));
      },
      [first = std::move(first)](const Error& error) {
        return Done{{first, faultOutcome(error)}};
      });
}

void PodWorker::setback(std::optional<Setback>& slot, std::optional<Setback> fresh) {
  if (!fresh) {
    slot.reset();
    return;
  }
  const Time now = node_.clock.now();
  fresh->at = now;
  if (slot && slot->reason == fresh->reason && now - slot->at < kSetbackForgotten) fresh->count = slot->count + 1;
  slot = std::move(fresh);
}

void PodWorker::take(const PodAction& action, ActionOutcome outcome) {
  due_ = true;
  observed_ = false;
  const bool retriedByMachine = action.kind == Kind::setUpVolumes || action.kind == Kind::runSandbox ||
                                action.kind == Kind::pullImage || action.kind == Kind::startContainer;
  if (outcome.setback && !retriedByMachine) {
    log::warn("a step of a pod's end failed and is tried again",
              {{"pod", pod_->ns() + "/" + pod_->name()}, {"error", outcome.setback->message}});
    pause_ = node_.clock.now() + kStepRetry;
  }
  auto& fact = facts_[action.container];
  switch (action.kind) {
    case Kind::setUpVolumes:
      volumes_.ready = !outcome.setback;
      setback(volumes_.setback, std::move(outcome.setback));
      break;
    case Kind::runSandbox:
      setback(sandboxSetback_, std::move(outcome.setback));
      break;
    case Kind::pullImage:
      fact.imageReady = !outcome.setback;
      if (outcome.image) images_[action.container] = *std::move(outcome.image);
      setback(fact.setback, std::move(outcome.setback));
      break;
    case Kind::startContainer:
      // The next start asks for the image again: its policy may be Always.
      fact.imageReady = outcome.setback.has_value();
      setback(fact.setback, std::move(outcome.setback));
      break;
    case Kind::releaseVolumes:
      volumes_.ready = outcome.setback.has_value();
      break;
    case Kind::releaseEverything:
      released_ = !outcome.setback;
      break;
    default:
      break;
  }
}

std::optional<json::object> PodWorker::statusPatch() const {
  json::object patch;
  for (const auto& [key, value] : status_) {
    const auto* old = written_.if_contains(key);
    if (old && *old == value) continue;
    patch[key] = value;
    // These lists merge by key; addresses that are gone must go.
    if (old && (key == "podIPs" || key == "hostIPs")) {
      auto& list = patch[key].as_array();
      list.insert(list.begin(), json::object{{"$patch", "replace"}});
    }
  }
  if (patch.empty()) return std::nullopt;
  makeUtf8(patch);  // runtimes and programs say any bytes
  return patch;
}

ObjectPtr PodWorker::refreshable() const {
  return !volumes_.ready || pod_->deleting() || node_.options.simulated ? nullptr : pod_;
}

}  // namespace steer
