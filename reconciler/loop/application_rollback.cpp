// Rolling an application back: by a commit where we may push, else by a pin until Git agrees.
#include "core/log.h"
#include "core/rfc3339.h"
#include "reconciler/loop/application_loop.h"

namespace steer {
namespace {

constexpr int kMostAttempts = 5;
constexpr Duration kAgain = seconds(2);

bool isKind(const Error& e, std::string_view kind) { return !e.causes.empty() && e.causes.front().reason == kind; }

}  // namespace

void ApplicationLoop::observe(const Object& object) {
  const bool pinned = requests_.pin.has_value();
  requests_ = readRequests(object);
  if (!observed_) {
    observed_ = true;
    const auto& shown = objectAt(object.status(), {"rollback"});
    rollbackSeen_ = std::string(stringAt(shown, {"request"}));
    rollbackCommit_ = std::string(stringAt(shown, {"commit"}));
    if (!shown.empty()) status_.setDetail("rollback", shown);
    ranOnce_ = ranOnceIn(object.status());
    if (!ranOnce_.empty()) status_.setDetail("ranOnce", ranOnceJson(ranOnce_));
    const auto& looked = objectAt(object.status(), {"reconcile"});
    reconcileSeen_ = std::string(stringAt(looked, {"request"}));
    if (!looked.empty()) status_.setDetail("reconcile", looked);
  }
  if (!requests_.reconcile.empty() && requests_.reconcile != reconcileSeen_) lookNow();
  keeper_.setPin(requests_.pin);
  if (pinned != requests_.pin.has_value()) keeper_.lookSoon();
  if (operation_ && operation_->held()) operationDue_.reset();
}

/// Somebody asks for it: no wait for the next look, or for the next attempt, holds it up.
void ApplicationLoop::lookNow() {
  reconcileSeen_ = requests_.reconcile;
  lookAsked_ = true;
  looksBefore_ = keeper_.lookNow();
  replan_ = true;
  if (retryDue_) retryDue_ = Time{};
  if (operation_) operationDue_.reset();
}

/// The look that was asked for is over.
void ApplicationLoop::noteLook(const SourceUpdate& update) {
  if (!lookAsked_ || looksBefore_-- > 0) return;
  lookAsked_ = false;
  status_.setDetail("reconcile", json::object{{"request", reconcileSeen_},
                                              {"commit", update.fetched ? update.fetched->commit.id : ""},
                                              {"problem", update.error ? update.error->message : ""}});
}

void ApplicationLoop::showRollback(const std::string& state, const std::string& message) {
  status_.setDetail("rollback", json::object{{"request", rollbackSeen_},
                                             {"state", state},
                                             {"to", rollback_.target},
                                             {"from", rollback_.tip},
                                             {"commit", rollbackCommit_},
                                             {"message", message}});
  log::info("rollback", {{"app", options_.name}, {"state", state}, {"message", message}});
}

/// Takes up what was asked for, and what came of it.
void ApplicationLoop::stepRollback(Time now) {
  if (auto done = keeper_.takeReverted()) onReverted(*done, now);
  const auto& asked = requests_.rollback;
  if (asked && asked->id != rollbackSeen_ && commit_ && recordsKnown_)
    startRollback(asked->id, asked->to, asked->by, now);
  if (rollbackDue_ && now >= *rollbackDue_) {
    rollbackDue_.reset();
    rollback_.tip = tip_;
    keeper_.revert(rollback_);
    want(now);
  }
  want(rollbackDue_);
}

void ApplicationLoop::startRollback(const std::string& id, std::string to, const std::string& by, Time now) {
  rollbackSeen_ = id;
  rollbackCommit_.clear();
  rollbackAttempts_ = 0;
  if (to.empty()) to = status_.lastHealthyBefore(tip_);
  rollback_ = {options_.source.revision, tip_, to, options_.source.path, options_.name, by};
  if (to.empty()) return showRollback("Failed", "no earlier healthy commit is known; name one with --to");
  showRollback("Running", "asked for by " + by);
  rollbackDue_ = now;
}

void ApplicationLoop::onReverted(const Result<RevertOutcome>& outcome, Time now) {
  if (outcome.ok()) {
    rollbackCommit_ = outcome->commit;
    keeper_.lookSoon();
    return showRollback("Reverted", outcome->unchanged ? "the branch has this content already"
                                                       : "commit " + outcome->commit + " is on the branch");
  }
  const auto& error = outcome.error();
  if (isKind(error, "RefMoved") && rollbackSeen_.starts_with("auto-")) {
    keeper_.lookSoon();  // what is newer may be the fix
    return showRollback("Cancelled", error.message);
  }
  if (isKind(error, "RefMoved") && ++rollbackAttempts_ < kMostAttempts) {
    keeper_.lookSoon();
    rollbackDue_ = now + kAgain;
    return want(rollbackDue_);
  }
  if (isKind(error, "RevisionNotFound")) return showRollback("Failed", error.message);
  // We may not push: the cluster goes back by itself, and says so until Git agrees.
  const CommitPin pin{rollback_.target, rollback_.tip, error.message};
  const auto written =
      client_.write(Write::patch({"applications.steersman.dev", options_.ns, options_.objectName}, PatchType::merge,
                                 json::object{{"metadata", {{"annotations", {{kPinAnnotation, textOf(pin)}}}}}}));
  if (!written.ok()) {
    rollbackDue_ = now + kAgain;
    return want(rollbackDue_);
  }
  requests_.pin = pin;
  keeper_.setPin(pin);
  keeper_.lookSoon();
  showRollback("Pinned", "the branch cannot be written (" + error.message + "); commit " + pin.commit.substr(0, 12) +
                             " is applied until the branch asks for other objects than " + pin.insteadOf.substr(0, 12));
}

/// What a fetch said of the pin.
void ApplicationLoop::notePin(const SourceUpdate& update, Time now) {
  if (!update.fetched) return;
  tip_ = update.tip.empty() ? update.fetched->commit.id : update.tip;
  if (update.pinned) {
    status_.setCondition("Pinned", true, "RolledBack",
                         "commit " + update.fetched->commit.id.substr(0, 12) +
                             " is applied although the branch shows " + tip_.substr(0, 12),
                         now);
    return;
  }
  status_.dropCondition("Pinned");
  if (!requests_.pin || !update.pinOver) return;
  const auto done =
      client_.write(Write::patch({"applications.steersman.dev", options_.ns, options_.objectName}, PatchType::merge,
                                 json::object{{"metadata", {{"annotations", {{kPinAnnotation, nullptr}}}}}}));
  if (!done.ok()) return;  // the next fetch tells it again
  requests_.pin.reset();
  keeper_.setPin({});
  showRollback("Over", "the branch asks for other objects since commit " + tip_.substr(0, 12));
}

/// A rollout that missed its health timeout goes back by itself, once.
bool ApplicationLoop::rollBackAutomatically(const ApplyRecord& record, Time now) {
  using Result = ApplyRecord::Result;
  const bool missed = record.result == Result::timedOut || record.result == Result::degraded;
  if (!settings_.autoRollback || !missed || !findings_.empty() || requests_.pin || record.trigger != "push" ||
      record.commit != tip_ || record.commit == rollbackCommit_)
    return false;
  if (status_.lastHealthyBefore(tip_).empty()) return false;
  startRollback("auto-" + record.commit, "", "autoRollback: " + record.message, now);
  return true;
}

}  // namespace steer
