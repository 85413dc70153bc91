// What an application waits for before it applies, and when it tries again.
#include "core/duration.h"
#include "core/rfc3339.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/loop/sync_window.h"
#include "reconciler/plan/hooks.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

constexpr Duration kAskAgain = seconds(1);

}  // namespace

void ApplicationLoop::configure(ApplicationSettings settings) {
  settings_ = std::move(settings);
  unplanned_.reset();
  replan_ = true;
  rightsDue_ = true;
}

PlanOptions ApplicationLoop::planning() const {
  PlanOptions out;
  out.policy = settings_.policy;
  out.account = settings_.account;
  out.ranOnce = ranOnce_;
  out.hookRuns = PlanOptions::HookRuns::remembered;
  if (options_.neighbours != nullptr) {
    out.elsewhere = options_.neighbours->claimedByOthers(options_.name);
    out.contested = options_.neighbours->contestedBy(options_.name);
  }
  for (const auto& [ref, glass] : glass_) {
    const auto place = (ref.ns.empty() ? "" : ref.ns + "/") + ref.name;
    if (auto pattern = ObjectPattern::parse(glass.kind + "/" + place); pattern.ok())
      out.selection.excludes.push_back(std::move(*pattern));
  }
  return out;
}

void ApplicationLoop::addClaims(std::set<ObjectRef>& claims) const {
  claims.insert(claims_.begin(), claims_.end());
  for (const auto& w : *wanted_) claims.insert(w.ref);
}

void ApplicationLoop::addRightfulClaims(std::set<ObjectRef>& claims) const {
  std::set<ObjectRef> own;
  addClaims(own);
  for (const auto& ref : own)
    if (!withoutRights_.contains(ref)) claims.insert(ref);
}

std::vector<ObjectRef> ApplicationLoop::declares() const {
  std::set<ObjectRef> all;
  addClaims(all);
  std::erase_if(all, [](const ObjectRef& ref) { return ref.resource != "applications.steersman.dev"; });
  return {all.begin(), all.end()};
}

bool ApplicationLoop::carriedOut() const {
  return commit_ && haveWanted_ && wantedCommit_ == commit_->id && !pending_ &&
         (!operation_ || operation_->changesWritten());
}

std::string ApplicationLoop::whyNotReady() const {
  if (!commit_) return "has not read its source yet";
  if (!sourceProblem_.empty()) return "cannot read its source";
  if (!haveWanted_ || wantedCommit_ != commit_->id) return "has a newest commit that is not valid";
  if (status_.phase() != "Synced") return "is " + (status_.phase().empty() ? "Progressing" : status_.phase());
  if (pending_ || operation_) return "is applying " + wantedCommit_.substr(0, 12);
  if (status_.health() != "healthy")
    return "is not healthy" + (status_.message().empty() ? "" : ": " + status_.message());
  return "";
}

/// Whether the account may still apply what it applied: one question of all objects, which costs the server a look at
/// the roles for each kind and namespace. Rights that came are used at once.
void ApplicationLoop::lookAtRights(Time now) {
  rightsDue_ = false;
  std::vector<std::string> refused;
  std::set<ObjectRef> claims, without;
  if (!settings_.account.empty()) {
    addClaims(claims);
    std::set<ObjectRef> state;
    for (const auto& w : *wanted_)
      if (isState(w.body)) state.insert(w.ref);
    ObserveRequest request;
    request.actAs = settings_.account;
    request.rightsOnly = true;
    for (const auto& ref : claims) request.items.push_back({ref, ""});
    const auto seen = client_.observe(request);
    if (!seen.ok() && seen.error().code != Errc::forbidden) {
      rightsDue_ = true;
      return want(now + kAskAgain);
    }
    if (!seen.ok()) {
      refused.push_back(seen.error().message);
      without = claims;
    }
    for (std::size_t i = 0; seen.ok() && i < seen->items.size(); ++i) {
      const auto& item = seen->items[i];
      if (item.refused.empty() && item.unable.empty()) continue;
      without.insert(request.items[i].ref);
      if (item.refused.empty()) continue;
      if (state.contains(request.items[i].ref)) refused.push_back(seen->items[i].refused);
    }
  }
  if (without != withoutRights_) claimsVersion_ = nextClaimsVersion();
  withoutRights_ = std::move(without);
  rightsProblem_ = refused.empty() ? "" : refused.front();
  if (refused.size() > 1) rightsProblem_ += " (and " + std::to_string(refused.size() - 1) + " more)";
  if (refused.empty()) {
    status_.dropCondition("Permitted");
    replan_ = replan_ || (!settings_.account.empty() && status_.phase() != "Synced");
  } else {
    status_.setCondition("Permitted", false, "Forbidden", rightsProblem_, now);
  }
  want(now);
}

/// What holds a commit back, most lasting first. Sets the phase that says so.
std::string ApplicationLoop::whyWaiting(Time now) {
  if (settings_.suspend) return "Suspended";
  const auto gate = syncGate(settings_.windows, now);
  want(gate.changesAt);
  if (!gate.open) {
    status_.setPhase("Waiting", gate.reason);
    return "Waiting";
  }
  const auto others = options_.neighbours == nullptr ? "" : options_.neighbours->dependencyWait(options_.name);
  if (!others.empty()) {
    status_.setPhase("Waiting", others);
    return "Waiting";
  }
  return "";
}

/// Asks for the same commit to be rendered and judged once more.
void ApplicationLoop::judgeAgain() {
  judgeDue_.reset();
  judgedAnew_ = true;
  keeper_.renderAgain();
}

/// Whether a commit that was rendered again is judged as before. What is found in it may depend on the cluster (a
/// namespace that another application makes), so as long as there are findings it is looked at ever more rarely.
bool ApplicationLoop::sameJudgement(const SourceCommit& commit, const Rendered& rendered, Time now) {
  std::string judgement = commit.id + "\n" + rendered.refusal + "\n" + rendered.findings.text();
  const bool again = std::exchange(judgedAnew_, false);
  const bool moved = rendered.delta && (!rendered.delta->changed.empty() || !rendered.delta->removed.empty());
  const bool same = again && !moved && judgement == judged_;
  judgements_ = judged_.starts_with(commit.id) ? judgements_ + 1 : 1;
  judged_ = std::move(judgement);
  judgeDue_.reset();
  if (rendered.findings.hasErrors()) judgeDue_ = now + retryDelay(settings_.retry, judgements_);
  return same;
}

/// Starts what is due: a new commit, another attempt, or a look at everything. Healing goes on while a
/// sync window is closed or another application is waited for: it keeps what was approved before.
void ApplicationLoop::tryBegin(Time now) {
  if (settings_.suspend) {
    status_.setPhase("Suspended", "spec.suspend is set; nothing is applied or healed");
    replan_ = true;
    return;
  }
  const bool heals = settings_.drift == DriftMode::heal;
  if (pending_ && pendingTrigger_ == "start" && !heals && !resumed_) {
    // Nothing is new but the process: what differs is drift.
    pending_ = false;
    replan_ = true;
    noteDropped();
  }
  if (pending_) {
    const bool waits = !whyWaiting(now).empty();
    if (!waits && waited_ && !findings_.empty()) judgeAgain();
    waited_ = waits;
    if (waits || judgedAnew_) return;
    pending_ = replan_ = false;
    return begin(pendingTrigger_,
                 pendingTrigger_ == "start" ? Operation::WhenEmpty::drop : Operation::WhenEmpty::record, now);
  }
  if (sync_ == Sync::blocked) return;
  if (retryDue_ && now >= *retryDue_) {
    if (!whyWaiting(now).empty()) return;
    retryDue_.reset();
    return begin("retry", Operation::WhenEmpty::drop, now);
  }
  if (!replan_ && !(resyncDue_ && now >= *resyncDue_)) return;
  replan_ = false;
  resyncDue_ = now + options_.resync;
  if (settings_.drift == DriftMode::report) return reportDrift(now);
  drifted_.clear();
  showDrift();
  if (heals) begin("drift", Operation::WhenEmpty::drop, now);
}

void ApplicationLoop::noteOutcome(const ApplyRecord& record, Time now) {
  using Result = ApplyRecord::Result;
  const bool bad =
      record.result == Result::failed || record.result == Result::degraded || record.result == Result::timedOut;
  // What was written wrong does not become right by waiting.
  if (!findings_.empty() && record.result == Result::degraded) return;
  if (!bad || record.commit != wantedCommit_ || pending_ || sync_ == Sync::blocked || !failedHook_.empty()) return;
  if (rollBackAutomatically(record, now)) return;
  if (attempts_ >= settings_.retry.limit) {
    status_.setCondition("Retrying", false, "LimitReached",
                         "tried again " + std::to_string(attempts_) + " times; a new commit starts afresh", now);
    return;
  }
  ++attempts_;
  retryDue_ = now + retryDelay(settings_.retry, attempts_);
  status_.setCondition("Retrying", true, "BackOff",
                       "attempt " + std::to_string(attempts_) + " of " + std::to_string(settings_.retry.limit) +
                           " at " + formatTime(*retryDue_),
                       now);
}

/// Nothing was to be done: what only waited for that is over.
void ApplicationLoop::noteDropped() {
  if (!failedHook_.empty()) return status_.setPhase("Failed", failedHook_);
  const auto& phase = status_.phase();
  const bool invalid = !commit_ || commit_->id != wantedCommit_;
  if (phase != "Degraded" && !(phase == "Failed" && invalid)) status_.setPhase("Synced", "");
  status_.dropCondition("Retrying");
}

}  // namespace steer
