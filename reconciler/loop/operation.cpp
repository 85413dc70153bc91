#include "reconciler/loop/operation.h"

#include <algorithm>

#include "reconciler/apply/pod_trouble.h"
#include "reconciler/health/health.h"
#include "reconciler/plan/ran_once.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

constexpr std::size_t kMaxFieldsNoted = 50;

std::string textFor(const WantedObject& w) {
  return std::string(stringAt(w.body, {"kind"})) + " " + (w.ref.ns.empty() ? w.ref.name : w.ref.ns + "/" + w.ref.name);
}

PlanAction actionNamed(const std::string& name) {
  for (const auto action : {PlanAction::create, PlanAction::update, PlanAction::replace, PlanAction::remove})
    if (name == actionName(action)) return action;
  return PlanAction::none;
}

}  // namespace

Operation::Operation(Client& client, ApplyRecord record, Wanted wanted, Options options)
    : client_(client), record_(std::move(record)), wanted_(std::move(wanted)), options_(std::move(options)) {}

std::optional<Time> Operation::step(Time now, const Snapshot& live) {
  switch (phase_) {
    case Phase::planning:
      return plan(now);
    case Phase::applying:
      return apply(now, live);
    case Phase::watching:
      return watch(now, live);
    case Phase::finished:
      break;
  }
  return std::nullopt;
}

std::optional<Time> Operation::plan(Time now) {
  PlanOptions options = options_.planning ? options_.planning() : PlanOptions{};
  options.application = record_.application;
  options.source = "commit " + record_.commit.substr(0, 12);
  options.keep = options_.keep;
  options.prune = options_.prune;
  auto made = options_.only ? planOnly(std::move(options)) : makePlan(client_, *wanted_, options);
  if (!made.ok()) {
    record_.message = "the cluster cannot be read: " + made.error().message;
    ++failures_;
    return now + std::min<Duration>(milliseconds(250) * (1 << std::min(failures_, 7)), seconds(20));
  }
  record_.message.clear();
  if (options_.seen) options_.seen(*made);
  const bool owners = mayChangeOwners(*made);
  if (owners && !secondHalf_ && options_.holdWhole) {
    held_ = options_.holdWhole(*made, now);
    if (held_) return now + held_->again;
  }
  removalsOwed_ = owners && !secondHalf_;
  if (owners)  // also what needs the place of one of them
    std::erase_if(made->changes,
                  [](const PlannedChange& c) { return c.action == PlanAction::remove || !c.after.empty(); });
  const auto& all = made->changes;
  const bool idle = std::all_of(all.begin(), all.end(), [](const auto& c) { return c.action == PlanAction::none; });
  if (idle && options_.whenEmpty == WhenEmpty::drop && !secondHalf_) {
    dropped_ = true;
    refused_ = std::any_of(all.begin(), all.end(), [](const auto& c) { return !c.refusal.empty(); });
    phase_ = Phase::finished;
    return std::nullopt;
  }
  held_ = options_.hold ? options_.hold(*made, now) : std::nullopt;
  if (held_) return now + held_->again;
  add(std::move(*made));
  milestone_ = true;
  return now;
}

/// An application that this very plan makes or changes may ask for what the plan would delete. So the plan is
/// carried out without its deletions, and these are planned again when the others have read the commit.
bool Operation::mayChangeOwners(const Plan& plan) {
  const auto removes = [](const PlannedChange& c) { return c.action == PlanAction::remove; };
  const auto makesOwner = [&](const PlannedChange& c) {
    return c.ref.resource == "applications.steersman.dev" && c.action != PlanAction::none && !removes(c);
  };
  const auto& all = plan.changes;
  return std::any_of(all.begin(), all.end(), removes) && std::any_of(all.begin(), all.end(), makesOwner);
}

Result<Plan> Operation::planOnly(PlanOptions options) {
  options.scope = PlanOptions::Scope::theseOnly;
  std::vector<WantedObject> some;
  for (const auto& w : *wanted_)
    if (options_.only->contains(w.ref)) some.push_back(w);
  untouched_ = static_cast<std::int64_t>(wanted_->size() - some.size());
  return makePlan(client_, std::move(some), options);
}

/// A run that a crash cut short had announced work: its hooks are due although nothing may be left to change.
bool Operation::goesOn() const {
  return std::any_of(record_.objects.begin(), record_.objects.end(),
                     [](const auto& row) { return row.action != "none"; });
}

void Operation::add(Plan plan) {
  const bool begun = goesOn();
  record_.unchanged = plan.counts().none + untouched_;
  // What is about to be done is in the record before it is done: whoever resumes this after a crash
  // knows that an object which needs nothing any more was dealt with by this very run.
  for (const auto& change : plan.changes) {
    if (change.action == PlanAction::none && change.refusal.empty()) continue;
    auto& row = rowFor(change.text());
    if (change.action == PlanAction::none) {  // it is not even tried
      row.outcome = "failed";
      row.error = change.refusal;
      refused_ = true;
      continue;
    }
    row.action = actionName(change.action);
    row.source = change.source.file.empty() ? "" : SourcePos{change.source.file, change.source.line, 0}.text();
    row.outcome = "pending";
    row.error.clear();
    for (std::size_t i = 0; i < change.fields.size() && row.fields.size() < kMaxFieldsNoted; ++i)
      row.fields.push_back(change.fields[i].path);
  }
  ApplyOptions options;
  options.healthTimeout = options_.healthTimeout;
  options.hookRun = record_.commit;
  options.hooks = options_.hooks == Options::Hooks::skip ? ApplyOptions::Hooks::skip
                  : begun                                ? ApplyOptions::Hooks::always
                                                         : ApplyOptions::Hooks::whenDue;
  run_.emplace(client_, std::move(plan), std::move(options));
  noteHooks();
  noted_.clear();
  phase_ = Phase::applying;
}

std::optional<Time> Operation::apply(Time now, const Snapshot& live) {
  const auto stage = run_->stageName();
  const auto next = run_->step(now, [&live](const ObjectRef& ref) { return live.get(ref); });
  noteRows();
  noteHooks();
  waitingFor_ = run_->waitingFor();
  milestone_ = milestone_ || waitingFor_.empty() || run_->stageName() != stage;
  if (next) return next;
  noteLeftovers();
  if (run_->stopped()) {
    noteStop(now);
    return std::nullopt;
  }
  if (std::exchange(removalsOwed_, false)) {
    secondHalf_ = true;
    phase_ = Phase::planning;
    return now;
  }
  phase_ = Phase::watching;
  if (!watchUntil_) watchUntil_ = now + options_.healthTimeout;
  return now;
}

ApplyRecord::ObjectRow* Operation::findRow(const std::string& object) {
  if (rowOf_.size() != record_.objects.size()) {
    rowOf_.clear();
    for (std::size_t i = 0; i < record_.objects.size(); ++i) rowOf_[record_.objects[i].object] = i;
  }
  const auto it = rowOf_.find(object);
  return it == rowOf_.end() ? nullptr : &record_.objects[it->second];
}

ApplyRecord::ObjectRow& Operation::rowFor(const std::string& object) {
  if (auto* row = findRow(object)) return *row;
  rowOf_[object] = record_.objects.size();
  record_.objects.push_back({object, "", "none", "done", "", "", "", {}});
  return record_.objects.back();
}

void Operation::count(PlanAction action) {
  switch (action) {
    case PlanAction::create:
      ++record_.created;
      break;
    case PlanAction::update:
      ++record_.updated;
      break;
    case PlanAction::replace:
      ++record_.replaced;
      break;
    case PlanAction::remove:
      ++record_.deleted;
      break;
    case PlanAction::none:
      break;
  }
}

void Operation::noteRows() {
  for (std::size_t i = 0; i < run_->rows().size(); ++i) {
    const auto& done = run_->rows()[i];
    if (!done.done || !noted_.insert(i).second) continue;
    const auto& change = run_->plan().changes[done.change];
    rowFor(change.text()).outcome = "done";
    count(change.action);
    written_.push_back(change.ref);
    if (change.action == PlanAction::remove) {
      removed_[change.ref] = change.live->uid();
    } else if (done.result) {
      expected_[change.ref] = done.result->revision();
      ownRevisions_.insert(done.result->revision());
    }
  }
}

void Operation::noteHooks() {
  for (const auto* run : run_->hooks()) {
    auto& row = rowFor(run->hook().text());
    row.action = std::string(hookName(run->hook().when)) + " hook";
    row.source =
        run->hook().source.file.empty() ? "" : SourcePos{run->hook().source.file, run->hook().source.line, 0}.text();
    row.outcome = !run->over() ? "pending" : run->succeeded() ? "done" : "failed";
    row.error = run->error() ? run->error()->message : "";
    if (run->succeeded() && run->hook().end.removedOnSuccess)
      milestone_ = goneHooks_[run->hook().ref].insert(run->mark()).second || milestone_;
  }
}

/// The run ended before its time: what it did not come to is told, and nothing is waited for.
void Operation::noteStop(Time now) {
  stopped_ = run_->stopped();
  using Why = ApplyRun::Stop::Why;
  const auto result = stopped_->why == Why::hookFailed ? ApplyRecord::Result::failed
                      : stopped_->why == Why::stale    ? ApplyRecord::Result::failed
                      : stopped_->why == Why::degraded ? ApplyRecord::Result::degraded
                                                       : ApplyRecord::Result::timedOut;
  const auto& rows = record_.objects;
  const auto skipped =
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.outcome == "skipped"; });
  finish(now, result,
         stopped_->reason + (skipped == 0 ? "" : "; " + std::to_string(skipped) + " later changes were not applied"));
}

void Operation::noteLeftovers() {
  const bool stopped = run_->stopped().has_value();
  for (const auto& failed : run_->rows()) {
    if (failed.done) continue;
    auto& row = rowFor(run_->plan().changes[failed.change].text());
    if (failed.heldBack) row.error = "something of this run could not be applied";
    if (failed.heldBack || (stopped && !failed.error)) {
      row.outcome = failed.heldBack ? "kept" : "skipped";
      continue;
    }
    row.outcome = "failed";
    row.error = failed.error ? failed.error->message : "";
    refused_ = true;
  }
  // Announced by a run that a crash cut short, and found in place by this one.
  for (auto& row : record_.objects) {
    if (row.outcome != "pending") continue;
    if (row.action.ends_with(" hook")) {
      row.outcome = "skipped";
      continue;
    }
    row.outcome = "done";
    count(actionNamed(row.action));
  }
}

std::optional<Time> Operation::watch(Time now, const Snapshot& live) {
  HealthState worst = HealthState::healthy;
  std::string first;
  ObjectPtr firstObject;
  const auto note = [&](HealthState state, const std::string& object, const std::string& reason, ObjectPtr seen) {
    const bool tells =
        state != HealthState::healthy && (first.empty() || (state == HealthState::degraded && worst != state));
    if (tells) first = object + ": " + reason;
    if (tells) firstObject = seen;
    worst = worse(worst, state);
  };
  for (const auto& w : *wanted_) {
    if (!isState(w.body)) continue;
    const std::string text = textFor(w);
    const ObjectPtr object = live.get(w.ref);
    if (!object && goesByItself(w.body)) {
      const auto there = client_.get(w.ref);
      if (!there.ok() && there.error().code == Errc::notFound) continue;  // it has done its work and went
    }
    const auto expected = expected_.find(w.ref);
    const bool seen = object && (expected == expected_.end() || object->revision() >= expected->second);
    auto* known = findRow(text);
    if (known != nullptr && known->outcome == "failed") continue;  // counted at the end
    const Health health = seen ? assessHealth(*object) : Health{HealthState::progressing, "not seen yet"};
    note(health.state, text, health.reason, object);
    if (known == nullptr && health.state == HealthState::healthy) continue;
    auto& row = known != nullptr ? *known : rowFor(text);
    row.health = healthName(health.state);
    row.reason = health.reason;
  }
  for (const auto& [ref, uid] : removed_)
    if (const auto object = live.get(ref); object && object->uid() == uid)
      note(HealthState::progressing, object->text(), "is being deleted", nullptr);
  if (firstObject && !firstObject->deleting())
    if (const auto trouble = podTrouble(client_, *firstObject); !trouble.empty()) first += "; " + trouble;
  waitingFor_ = first;
  if (worst == HealthState::degraded) finish(now, ApplyRecord::Result::degraded, first);
  else if (worst == HealthState::healthy)
    finish(now, ApplyRecord::Result::healthy, refused_ ? "some objects could not be applied" : "");
  else if (now >= *watchUntil_)
    finish(now, ApplyRecord::Result::timedOut, "not healthy in time; still waiting for " + first);
  return finished() ? std::nullopt : std::optional(std::min(*watchUntil_, now + seconds(1)));
}

/// What was left as it lives because it is wrong, in words.
std::string Operation::quarantineText() const {
  const auto n = options_.keep.size();
  std::string out =
      n == 0 ? std::string("not everything could be read")
             : std::to_string(n) + (n == 1 ? " object is" : " objects are") + " in quarantine and left as it lives";
  if (n > 1) out = std::to_string(n) + " objects are in quarantine and left as they live";
  if (options_.prune == PlanOptions::Prune::no) out += ", so nothing is deleted";
  return out + ": " + record_.findings.front();
}

void Operation::finish(Time now, ApplyRecord::Result result, std::string message) {
  if (result == ApplyRecord::Result::healthy && (refused_ || !record_.findings.empty()))
    result = ApplyRecord::Result::degraded;
  const auto done = record_.created + record_.updated + record_.replaced + record_.deleted + record_.unchanged;
  if (refused_ && done == 0 && result != ApplyRecord::Result::superseded) result = ApplyRecord::Result::failed;
  record_.result = result;
  record_.finished = now;
  record_.message = std::move(message);
  if (!record_.findings.empty()) record_.message += (record_.message.empty() ? "" : "; ") + quarantineText();
  if (refused_ && record_.message.empty()) record_.message = "some objects could not be applied";
  // A refusal is the news, whatever else is still on its way.
  for (const auto& row : record_.objects)
    if (row.outcome == "failed" && !row.action.ends_with(" hook")) {
      record_.message += " (" + row.object + ": " + row.error + ")";
      break;
    }
  // Rows that only told of waiting are no news once all is well.
  std::erase_if(record_.objects,
                [](const auto& r) { return r.action == "none" && r.outcome == "done" && r.health == "healthy"; });
  phase_ = Phase::finished;
  milestone_ = true;
}

bool Operation::waiting() const {
  return phase_ == Phase::watching ||
         (phase_ == Phase::applying && run_->interruptible() && !run_->waitingFor().empty());
}

bool Operation::writes(const ObjectRef& ref) const {
  if (!run_) return false;
  const auto& changes = run_->plan().changes;
  return std::any_of(changes.begin(), changes.end(),
                     [&](const auto& c) { return c.ref == ref && c.action != PlanAction::none; });
}

bool Operation::interruptible() const { return phase_ != Phase::applying || run_->interruptible(); }

void Operation::supersede(Time now, const std::string& by) {
  for (auto& row : record_.objects)
    if (row.outcome == "pending") row.outcome = "skipped";
  finish(now, ApplyRecord::Result::superseded,
         "a newer commit (" + by.substr(0, 12) + ") came before this one was healthy");
}

}  // namespace steer
