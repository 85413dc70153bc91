#include "reconciler/loop/application_loop.h"

#include <algorithm>

#include "core/log.h"
#include "core/rfc3339.h"
#include "reconciler/apply/pod_trouble.h"
#include "reconciler/health/health.h"
#include "schemas/sync_order.h"

namespace steer {
namespace {

constexpr Duration kLookAtTrouble = seconds(10);
constexpr std::size_t kMostTroubled = 20;

/// What the commit asks for is what lives now, apart from what is still starting.
bool appliedWhole(const Operation& done) {
  const auto result = done.record().result;
  if (!done.dropped() && result != ApplyRecord::Result::healthy && result != ApplyRecord::Result::degraded)
    return false;
  return !done.stopped() && !done.refused() &&
         std::none_of(done.record().objects.begin(), done.record().objects.end(), [](const auto& row) {
           return row.outcome == "failed" || row.outcome == "skipped" || row.outcome == "kept" ||
                  row.outcome == "pending";
         });
}

std::string kindOf(const Error& e) { return e.causes.empty() ? "Failed" : e.causes.front().reason; }

std::string firstErrors(const Diagnostics& findings) {
  for (const auto& d : findings.items())
    if (d.severity == Severity::error) {
      const auto more = findings.errorCount() - 1;
      return d.text() + (more == 0 ? "" : " (and " + std::to_string(more) + " more)");
    }
  return "";
}

}  // namespace

ApplicationLoop::ApplicationLoop(ApplicationOptions options, Renderer renderer, Client& client, Executor& executor)
    : options_(std::move(options)),
      settings_(options_.settings),
      client_(client),
      keeper_(options_.source, options_.repository, options_.name, options_.formerClone,
              {std::move(renderer), options_.anotherRenderer}, executor, wakerForMe()),
      drift_(client, options_.name, wakerForMe()),
      status_(client, options_.ns, options_.objectName) {}

void ApplicationLoop::want(std::optional<Time> at) {
  if (at && (!next_ || *at < *next_)) next_ = at;
}

bool ApplicationLoop::settled() const {
  return haveWanted_ && !operation_ && !pending_ && reports_.empty() && !keeper_.publishing() && !drift_.anyWaiting();
}

Loop::Next ApplicationLoop::step(Time now) {
  next_.reset();
  want(keeper_.step(now));
  if (auto update = keeper_.takeUpdate()) onUpdate(std::move(*update), now);
  if (auto published = keeper_.takePublished()) onPublished(*published, now);
  if (keeper_.takePushedLater()) status_.setCondition("Reported", true, "Pushed", "refs/heads/steersman/status", now);
  stepRollback(now);
  if (judgeDue_ && now >= *judgeDue_) judgeAgain();
  want(judgeDue_);
  if (operation_ && !mended_.empty())
    mended_.insert(operation_->ownRevisions().begin(), operation_->ownRevisions().end());
  drift_.pump(now, operation_ && mended_.empty() ? operation_->ownRevisions() : mended_);
  if (!mending_) mended_.clear();
  takeKept();
  want(drift_.retryAt());
  if (pending_ && operation_ && operation_->interruptible()) operation_->supersede(now, commit_->id);
  stepMending(now);
  if (!operation_ && !mending_ && haveWanted_ && drift_.synced()) tryBegin(now);
  heal(now);
  showFights(now);
  if (operation_ && !mending_) stepOperation(now);
  if (rightsDue_ && haveWanted_ && !operation_) lookAtRights(now);
  tellDrift(now, DriftSummary::Take::due);
  want(healed_.due());
  if (!reports_.empty() && !reports_.front().second && now >= reportDue_ && !keeper_.publishing()) {
    const auto& record = reports_.front().first;
    reports_.front().second = true;
    keeper_.publish({record.path(), jsonPretty(toJson(record)) + "\n",
                     "steersman: " + record.commit.substr(0, 12) + " " + std::string(textOf(record.result)) + "\n\n" +
                         record.line() + "\n",
                     record.commit, record.note()});
    want(now);
  } else if (!reports_.empty() && !reports_.front().second) {
    want(reportDue_);
  }
  if (haveWanted_ && (!operation_ || operation_->waiting())) showHealth(now);
  want(status_.flush(now));
  if (mayHeal() && !mending_) {
    want(mendDue_ ? mendDue_ : drift_.nextDue());
    want(driftDue_);
  }
  if (!operation_ && sync_ != Sync::blocked) {
    want(resyncDue_);
    want(retryDue_);
  }
  return Next{next_};
}

void ApplicationLoop::onUpdate(SourceUpdate update, Time now) {
  noteLook(update);
  if (!recordsKnown_) {
    for (auto it = update.records.rbegin(); it != update.records.rend(); ++it)
      if (auto record = recordFromJson(*it); record.ok() && record->application == options_.name) {
        status_.addRun(*record);
        if (record->trigger != "drift") newestSync_ = std::move(*record);
      }
    recordsKnown_ = !update.error || update.fetched;
    if (recordsKnown_) resumeDraft(now);
  }
  if (update.error) {
    sourceProblem_ = update.error->message;
    status_.setCondition("SourceReady", false, kindOf(*update.error), sourceProblem_, now);
    if (!haveWanted_ && !update.fetched) status_.setPhase("Failed", "the source cannot be read: " + sourceProblem_);
    log::warn("source cannot be read", {{"app", options_.name}, {"reason", sourceProblem_}});
  } else {
    sourceProblem_.clear();
    std::string message = "at " + update.fetched->commit.id;
    if (update.fetched->recloned) message += "; the clone was damaged and has been made anew";
    status_.setCondition("SourceReady", true, "Fetched", message, now);
  }
  notePin(update, now);
  if (!update.fetched) return;
  commit_ = update.fetched->commit;
  status_.setCommit(commit_->id);
  if (update.fetched->rewritten) {
    const std::string text = update.fetched->before.substr(0, 12) + " is no ancestor of " + commit_->id.substr(0, 12);
    status_.setCondition("HistoryKept", false, "HistoryRewritten", text, now);
    log::warn("history was rewritten", {{"app", options_.name}, {"what", text}});
  } else if (update.rendered && !update.fetched->before.empty()) {
    status_.setCondition("HistoryKept", true, "FastForward", "the new commit builds on the one before", now);
  }
  if (update.rendered) onRendered(*update.fetched, std::move(*update.rendered), now);
}

void ApplicationLoop::onRendered(const FetchOutcome& fetched, Rendered rendered, Time now) {
  // After a restart the newest record tells whether this commit was dealt with already.
  const bool reported = !haveWanted_ && status_.lastRunCommit() == fetched.commit.id;
  rendered.findings.sort();
  if (sameJudgement(fetched.commit, rendered, now)) return;
  approvedDeletions_.clear();
  prospect_.reset();
  status_.setDetail("confirmation", nullptr);
  if (!rendered.delta) claims_ = rendered.quarantined;
  for (const auto& w : rendered.delta ? rendered.delta->changed : rendered.objects) claims_.insert(w.ref);
  if (rendered.delta)
    for (const auto& ref : rendered.delta->removed) claims_.erase(ref);
  claimsVersion_ = nextClaimsVersion();
  retryDue_.reset();
  attempts_ = 0;
  status_.dropCondition("Retrying");
  const bool flawed = rendered.findings.hasErrors();
  const std::string first = firstErrors(rendered.findings);
  if (flawed) status_.setCondition("Valid", false, "Findings", first, now);
  else status_.setCondition("Valid", true, "Valid", std::to_string(claims_.size()) + " objects", now);
  if (!rendered.refusal.empty()) {
    status_.setPhase("Failed", first);
    if (operation_ && operation_->phase() == Operation::Phase::watching) operation_->supersede(now, fetched.commit.id);
    if (reported) return;
    ApplyRecord record = freshRecord("push", now);
    record.finished = now;
    record.result = ApplyRecord::Result::invalid;
    record.message = rendered.refusal + "; nothing was applied";
    for (const auto& d : rendered.findings.items()) record.findings.push_back(d.text());
    report(std::move(record), now);
    return;
  }
  findings_.clear();
  if (flawed)
    for (const auto& d : rendered.findings.items()) findings_.push_back(d.text());
  quarantined_ = std::move(rendered.quarantined);
  prune_ = flawed && !rendered.complete ? PlanOptions::Prune::no : PlanOptions::Prune::yes;
  takeWanted(rendered);
  claimsVersion_ = nextClaimsVersion();
  rightsDue_ = rightsDue_ || !settings_.account.empty();
  const bool fresh = !std::exchange(haveWanted_, true);
  wantedCommit_ = fetched.commit.id;
  if (fresh) learnKept(status_.lastApplied());
  sync_ = Sync::open;
  failedHook_.clear();
  if (reported && newestSync_ && newestSync_->commit == wantedCommit_) noteSync(*newestSync_);
  pending_ = sync_ != Sync::blocked;
  if (!pending_) status_.setPhase("Failed", newestSync_->message);
  pendingTrigger_ = reported ? "start" : "push";
}

/// The whole set, or what changed in it. A delta that only adds and changes costs as much to plan.
void ApplicationLoop::takeWanted(Rendered& rendered) {
  const auto wantsHook = [](const WantedObject& w) { return isHook(w.body); };
  if (!rendered.delta) {
    if (kept_.known()) kept_.replace(ownWanted(), rendered.objects);
    wanted_ = std::make_shared<std::vector<WantedObject>>(std::move(rendered.objects));
    unplanned_.reset();
    wantsHooks_ = std::any_of(wanted_->begin(), wanted_->end(), wantsHook);
    drift_.setWanted(*wanted_);
    watchKept();
    assessAnew_ = true;
    return;
  }
  auto& delta = *rendered.delta;
  // Once there was a hook, everything is planned until the whole set is read again.
  wantsHooks_ = wantsHooks_ || std::any_of(delta.changed.begin(), delta.changed.end(), wantsHook);
  drift_.changeWanted(delta.changed, delta.removed);
  ownWanted();
  std::map<ObjectRef, WantedObject*> changed;
  for (auto& w : delta.changed) changed[w.ref] = &w;
  const std::set<ObjectRef> removed(delta.removed.begin(), delta.removed.end());
  if (!removed.empty()) {
    for (auto& w : *wanted_)
      if (removed.contains(w.ref)) kept_.change(w.ref, &w);
    std::erase_if(*wanted_, [&](const WantedObject& w) { return removed.contains(w.ref); });
    unplanned_.reset();
  }
  if (unplanned_)
    for (const auto& [ref, w] : changed) unplanned_->insert(ref);
  for (auto& w : *wanted_)
    if (const auto it = changed.find(w.ref); it != changed.end()) {
      if (w.body != it->second->body) kept_.change(w.ref, &w);
      w = std::move(*it->second);
      changed.erase(it);
    }
  for (auto& [ref, w] : changed) {
    kept_.change(ref, nullptr);
    wanted_->push_back(std::move(*w));
  }
  watchKept();
}

/// An operation under way keeps what it began with.
std::vector<WantedObject>& ApplicationLoop::ownWanted() {
  if (wanted_.use_count() > 1) wanted_ = std::make_shared<std::vector<WantedObject>>(*wanted_);
  return *wanted_;
}

void ApplicationLoop::noteSync(const ApplyRecord& record) {
  sync_ = syncOf(record);
  if (options_.keepDeletionHooks) options_.keepDeletionHooks(*wanted_);
  for (const auto& row : record.objects)
    if (row.action == "post-sync hook" && row.outcome == "failed") failedHook_ = record.message;
}

ApplicationLoop::Sync ApplicationLoop::syncOf(const ApplyRecord& record) {
  Sync sync = Sync::done;
  for (const auto& row : record.objects) {
    if (row.action == "pre-sync hook" && row.outcome == "failed") return Sync::blocked;
    if (row.outcome == "skipped") sync = Sync::open;
  }
  return sync;
}

ApplyRecord ApplicationLoop::freshRecord(const std::string& trigger, Time now) const {
  ApplyRecord r;
  r.application = options_.name;
  r.commit = commit_->id;
  r.author = commit_->author;
  r.summary = commit_->summary;
  r.repository = keeper_.shownUrl();
  r.revision = options_.source.revision;
  r.trigger = trigger;
  r.account = settings_.account;
  r.started = now;
  return r;
}

void ApplicationLoop::resumeDraft(Time now) {
  const auto text = keeper_.loadDraft(options_.name);
  if (!text) return;
  auto draft = recordFromJson(*text);
  if (!draft.ok()) return keeper_.dropDraft(options_.name);
  if (draft->result == ApplyRecord::Result::running) resumed_ = std::move(*draft);
  else report(std::move(*draft), now);
}

void ApplicationLoop::begin(const std::string& trigger, Operation::WhenEmpty whenEmpty, Time now) {
  ApplyRecord record = freshRecord(trigger == "start" ? "drift" : trigger, now);
  record.commit = wantedCommit_;
  if (resumed_ && resumed_->commit == wantedCommit_) {
    // The process ended in the middle of this one: go on, and report it under its own name.
    record = std::move(*resumed_);
    whenEmpty = Operation::WhenEmpty::record;
  } else if (resumed_) {
    resumed_->result = ApplyRecord::Result::superseded;
    resumed_->finished = now;
    resumed_->message = "the server was stopped, and a newer commit came";
    report(std::move(*resumed_), now);
  }
  resumed_.reset();
  record.findings = findings_;
  resyncDue_ = now + options_.resync;
  if (whenEmpty == Operation::WhenEmpty::record)
    status_.setPhase("Progressing", "applying " + wantedCommit_.substr(0, 12));
  Operation::Options how;
  how.healthTimeout = settings_.healthTimeout;
  how.whenEmpty = whenEmpty;
  how.keep = quarantined_;
  how.prune = settings_.prune ? prune_ : PlanOptions::Prune::no;
  how.planning = [this] {
    auto out = planning();
    plannedContests_ = out.contested;
    return out;
  };
  how.seen = [this](const Plan& plan) { noteContested(plan); };
  how.hold = [this](const Plan& plan, Time at) { return whyHeld(plan, at); };
  how.holdWhole = [this](Plan plan, Time at) { return whyHeldWhole(std::move(plan), at); };
  lookForGlass(now);
  if (sync_ == Sync::open) how.hooks = Operation::Options::Hooks::run;
  if (trigger == "push" && !wantsHooks_ && quarantined_.empty()) how.only = unplanned_;
  unplanned_.reset();  // until it is known that all of it was done
  operation_ = std::make_unique<Operation>(client_, std::move(record), wanted_, std::move(how));
  operationDue_ = now;
}

void ApplicationLoop::stepOperation(Time now) {
  // The watch phase judges by what was seen: without a first listing there is nothing to judge.
  const bool blind = operation_->phase() == Operation::Phase::watching && !drift_.synced();
  if (operation_->held() && operationDue_ && now < *operationDue_ && !pending_) return want(operationDue_);
  if (!blind) {
    // One phase a step, so that each has its own time.
    operationDue_ = operation_->step(now, drift_.live());
    noteWritten(*operation_);
    if (operation_->takeMilestone()) {
      noteRanOnce();
      keeper_.saveDraft(options_.name, jsonText(toJson(operation_->record())));
    }
  }
  if (const auto& held = operation_->held(); held && !operation_->finished()) {
    status_.setPhase(held->phase, held->why);
    return want(operationDue_);
  }
  if (!operation_->finished()) {
    const auto& message = operation_->record().message;
    status_.setPhase("Progressing", !message.empty()                   ? message
                                    : operation_->waitingFor().empty() ? "applying " + wantedCommit_.substr(0, 12)
                                                                       : "waiting for " + operation_->waitingFor());
    want(operationDue_);
    return;
  }
  auto done = std::move(operation_);
  operation_.reset();
  rightsDue_ = rightsDue_ || !rightsProblem_.empty();  // what it spoke of may be gone
  if (done->record().commit == wantedCommit_ && done->record().result != ApplyRecord::Result::superseded)
    noteSync(done->record());
  if (done->record().commit == wantedCommit_ && appliedWhole(*done)) unplanned_.emplace();
  if (done->dropped()) return noteDropped();
  noteOutcome(done->record(), now);
  report(std::move(done->record()), now);
  if (pending_) want(now);
}

void ApplicationLoop::report(ApplyRecord record, Time now) {
  const auto result = record.result;
  const bool good = result == ApplyRecord::Result::healthy;
  if (result != ApplyRecord::Result::superseded)
    status_.setPhase(good                                                                                 ? "Synced"
                     : result == ApplyRecord::Result::degraded || result == ApplyRecord::Result::timedOut ? "Degraded"
                                                                                                          : "Failed",
                     good ? "" : record.message);
  if (good && !failedHook_.empty()) status_.setPhase("Failed", failedHook_);
  noteCounts(record);
  noteRun(std::move(record), now);
}

void ApplicationLoop::noteCounts(const ApplyRecord& record) {
  status_.setResources({{"total", wanted_->size()},
                        {"applied", record.created + record.updated + record.replaced + record.unchanged},
                        {"created", record.created},
                        {"updated", record.updated},
                        {"replaced", record.replaced},
                        {"deleted", record.deleted}});
}

/// A run is over. Healings are told together.
void ApplicationLoop::noteRun(ApplyRecord record, Time now) {
  if (record.trigger != "drift") {
    tellDrift(now, DriftSummary::Take::all);
    return tellRun(std::move(record), now);
  }
  healed_.add(std::move(record));
  tellDrift(now, DriftSummary::Take::due);
  if (const auto& waiting = healed_.waiting(); waiting && !operation_ && reports_.empty())
    keeper_.saveDraft(options_.name, jsonText(toJson(*waiting)));
}

void ApplicationLoop::tellDrift(Time now, DriftSummary::Take what) {
  if (auto record = healed_.take(now, what)) tellRun(std::move(*record), now);
}

/// It stands in the history and waits to be published.
void ApplicationLoop::tellRun(ApplyRecord record, Time now) {
  if (!operation_) keeper_.saveDraft(options_.name, jsonText(toJson(record)));  // else the place is taken
  status_.addRun(record);
  log::info("commit is reported", {{"app", options_.name}, {"commit", record.commit}, {"outcome", record.line()}});
  reports_.emplace_back(std::move(record), false);
  reportDue_ = now;
  want(now);
}

void ApplicationLoop::onPublished(const Result<PublishOutcome>& outcome, Time now) {
  if (reports_.empty()) return;
  if (!outcome.ok()) {
    reports_.front().second = false;
    reportDue_ = now + std::min<Duration>(seconds(1) * (1 << std::min(reportFailures_++, 6)), seconds(60));
    status_.setCondition("Reported", false, "Failed", outcome.error().message, now);
    return;
  }
  reportFailures_ = 0;
  reports_.erase(reports_.begin());
  // A newer run may have drafted itself meanwhile: only our own draft is dropped.
  if (reports_.empty() && !operation_ && !healed_.waiting()) keeper_.dropDraft(options_.name);
  if (outcome->whyLocal.empty()) status_.setCondition("Reported", true, "Pushed", "refs/heads/steersman/status", now);
  else status_.setCondition("Reported", false, "KeptLocal", "records stay in the clone: " + outcome->whyLocal, now);
}

/// Judges what was seen to change since it was last asked, not everything.
void ApplicationLoop::showHealth(Time now) {
  const auto assess = [this](const ObjectRef& ref) {
    const auto object = drift_.live().get(ref);
    const bool done = !object && ranOnce_.contains(ref);  // it went by itself
    Health health = object ? toldHealth(client_, *object)
                           : Health{done ? HealthState::healthy : HealthState::progressing, "not there"};
    if (health.state == HealthState::healthy || !drift_.wanted().contains(ref)) unwell_.erase(ref);
    else unwell_[ref] = std::move(health);
  };
  const auto touched = drift_.takeTouched();
  if (assessAnew_) {
    unwell_.clear();
    for (const auto& ref : drift_.wanted()) assess(ref);
    assessAnew_ = !drift_.synced();
  } else {
    for (const auto& ref : touched) assess(ref);
  }
  // Pods fall into trouble without a change of what they belong to.
  if (!unwell_.empty() && now >= troubleDue_) {
    troubleDue_ = now + kLookAtTrouble;
    std::vector<ObjectRef> again;
    for (const auto& [ref, health] : unwell_)
      if (again.size() < kMostTroubled) again.push_back(ref);
    for (const auto& ref : again) assess(ref);
  }
  if (!unwell_.empty()) want(troubleDue_);
  HealthState worst = HealthState::healthy;
  std::string first;
  for (const auto& [ref, health] : unwell_) {
    if (first.empty()) first = ref.text() + ": " + health.reason;
    worst = worse(worst, health.state);
  }
  status_.setHealth(healthName(worst));
  // What was Synced may fall ill later, and what was Degraded may recover.
  if (status_.phase() == "Synced" && worst == HealthState::degraded) status_.setPhase("Degraded", first);
  else if (status_.phase() == "Synced" && !rightsProblem_.empty()) status_.setPhase("Degraded", rightsProblem_);
  else if (status_.phase() == "Synced" && !fights_.empty()) status_.setPhase("Degraded", fightText(*fights_.begin()));
  else if (status_.phase() == "Synced" && !leftToOthers_.empty()) status_.setPhase("Degraded", contestText());
  else if (status_.phase() == "Degraded" && fights_.empty() && findings_.empty() && rightsProblem_.empty() &&
           leftToOthers_.empty() && worst == HealthState::healthy)
    status_.setPhase("Synced", "");
  else if (status_.phase() == "Synced") status_.setPhase("Synced", first);  // what it still waits for
}

}  // namespace steer
