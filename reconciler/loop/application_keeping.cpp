// Keeps the last applied commit healed while the newest one waits: for a person, a window, another application, a hook
// or an earlier wave.
#include <algorithm>
#include <limits>

#include "core/log.h"
#include "reconciler/apply/planner.h"
#include "reconciler/git/git_tree_reader.h"
#include "reconciler/git/revert_commit.h"
#include "reconciler/loop/application_loop.h"
#include "schemas/sync_order.h"

namespace steer {
namespace {

constexpr Duration kSoon = seconds(1);

std::string rowText(const WantedObject& w) {
  return std::string(stringAt(w.body, {"kind"})) + " " + (w.ref.ns.empty() ? w.ref.name : w.ref.ns + "/" + w.ref.name);
}

}  // namespace

/// Healings of what is applied, beside whatever waits.
struct ApplicationLoop::Mending {
  ApplyRun run;
  ApplyRecord record;
};

/// After a restart it is read from the clone what the last applied commit asked for, unless it is the one at hand.
void ApplicationLoop::learnKept(const std::string& applied) {
  if (applied.empty()) return;
  if (applied == wantedCommit_) return kept_.settle(applied);
  if (!options_.anotherRenderer) return;
  keptRead_ = std::make_shared<steer::Sync<std::optional<Rendered>>>();
  keptReadCommit_ = applied;
  keeper_.lookInto([renderer = options_.anotherRenderer(), answer = keptRead_, applied,
                    path = options_.source.path](const std::string& cloneDir) mutable {
    const auto tree = treeAt(cloneDir, applied, path);
    if (!tree.ok()) return;
    const auto reader = GitTreeReader::open(cloneDir);
    if (!reader.ok()) return;
    auto rendered = renderer(**reader, *tree);
    *answer->lock() = std::move(rendered);
  });
}

void ApplicationLoop::takeKept() {
  if (!keptRead_) return;
  auto rendered = std::exchange(*keptRead_->lock(), std::nullopt);
  if (!rendered) return;
  keptRead_.reset();
  if (kept_.known()) return;  // something was applied meanwhile
  kept_.read(keptReadCommit_, std::move(rendered->objects), *wanted_);
  // A run that the restart cut short has written some of the newer ones.
  const auto* record = operation_ ? &operation_->record() : resumed_ ? &*resumed_ : nullptr;
  if (record != nullptr && record->commit == wantedCommit_) {
    std::set<std::string> done;
    for (const auto& row : record->objects)
      if (row.outcome == "done" && row.action != "none") done.insert(row.object);
    for (const auto& w : *wanted_)
      if (done.contains(rowText(w))) kept_.applied(w.ref);
  }
  watchKept();
  // What happened while nobody looked is not told by a watch.
  for (const auto& ref : drift_.wanted())
    if (isKept(ref)) drift_.suspect(ref, "not as the applied commit says");
}

/// Others may change what leaves with the newest commit; it is still ours.
void ApplicationLoop::watchKept() {
  std::vector<ObjectRef> refs;
  for (const auto& [ref, body] : kept_.differing())
    if (body) refs.push_back(ref);
  drift_.watchAlso(refs);
}

/// The run under way wrote some of what it is to write; the end of one that was not cut short wrote all.
void ApplicationLoop::noteWritten(Operation& operation) {
  std::vector<ObjectRef> settled;
  for (auto& ref : operation.takeWritten()) {
    if (!kept_.differing().contains(ref)) continue;
    kept_.applied(ref);
    settled.push_back(std::move(ref));
  }
  const auto& record = operation.record();
  if (record.commit != wantedCommit_) return;
  if (operation.finished() && record.result != ApplyRecord::Result::superseded && !operation.stopped()) {
    for (const auto& [ref, body] : kept_.differing()) settled.push_back(ref);
    kept_.settle(wantedCommit_);
    keptRead_.reset();
  }
  if (settled.empty()) return;
  // What left with the commit was watched until now, and nobody misses it any more.
  std::set<ObjectRef> wanted;
  for (const auto& w : *wanted_) wanted.insert(w.ref);
  std::erase_if(settled, [&](const ObjectRef& ref) { return wanted.contains(ref); });
  drift_.changeWanted({}, settled);
}

/// Something newer is not written yet, be it that it waits or that it may not be written at all.
bool ApplicationLoop::keepsOld() const {
  if (!kept_.known() || kept_.commit().empty()) return false;
  return pending_ || sync_ == Sync::blocked || !kept_.differing().empty() ||
         (operation_ && (operation_->held() || operation_->phase() == Operation::Phase::applying));
}

/// Whether this object is to be as the applied commit says, and not as part of what is under way.
bool ApplicationLoop::isKept(const ObjectRef& ref) const {
  if (!keepsOld()) return false;
  const auto it = kept_.differing().find(ref);
  if (it != kept_.differing().end()) return it->second.has_value();
  if (pending_ || sync_ == Sync::blocked) return true;
  return operation_ && operation_->phase() != Operation::Phase::watching && !operation_->writes(ref);
}

std::vector<WantedObject> ApplicationLoop::keptObjects(const std::vector<DriftWatch::Suspect>& suspects) const {
  std::vector<WantedObject> out;
  std::set<ObjectRef> asWanted;
  for (const auto& suspect : suspects) {
    const auto it = kept_.differing().find(suspect.ref);
    if (it == kept_.differing().end()) asWanted.insert(suspect.ref);
    else if (it->second) out.push_back(*it->second);
  }
  for (const auto& w : *wanted_)
    if (asWanted.contains(w.ref)) out.push_back(w);
  return out;
}

/// Puts objects back to what is applied, in a run of their own. One wave at a time, since a run waits between waves.
void ApplicationLoop::mend(std::vector<DriftWatch::Suspect> suspects, Time now) {
  const auto again = [&](const DriftWatch::Suspect& suspect) { drift_.suspect(suspect.ref, suspect.how); };
  PlanOptions options = planning();
  // What leaves with the newest commit may have found its new owner already.
  std::erase_if(suspects, [&](const auto& suspect) {
    return kept_.differing().contains(suspect.ref) && options.elsewhere.contains(suspect.ref);
  });
  auto some = keptObjects(suspects);
  if (some.empty()) return;
  int first = std::numeric_limits<int>::max();
  for (const auto& w : some) first = std::min(first, syncOrderOf(w.body).wave);
  std::set<ObjectRef> later;
  for (const auto& w : some)
    if (syncOrderOf(w.body).wave != first) later.insert(w.ref);
  std::erase_if(some, [&](const WantedObject& w) { return later.contains(w.ref); });
  for (const auto& suspect : suspects)
    if (later.contains(suspect.ref)) again(suspect);
  std::erase_if(suspects, [&](const auto& suspect) { return later.contains(suspect.ref); });
  options.application = options_.name;
  options.source = "commit " + kept_.commit().substr(0, 12);
  options.scope = PlanOptions::Scope::theseOnly;
  auto plan = makePlan(client_, std::move(some), options);
  if (!plan.ok()) {
    for (const auto& suspect : suspects) again(suspect);
    mendDue_ = now + kSoon;
    return want(mendDue_);
  }
  if (plan->empty()) return;
  ApplyRecord record = freshRecord("drift", now);
  record.commit = kept_.commit();
  record.author.clear();
  record.summary.clear();
  record.unchanged = plan->counts().none;
  record.drift = noteHealings(*plan, suspects, now);
  ApplyOptions how;
  how.hooks = ApplyOptions::Hooks::skip;
  mending_.reset(new Mending{ApplyRun(client_, std::move(*plan), std::move(how)), std::move(record)});
  want(now);
}

void ApplicationLoop::stepMending(Time now) {
  if (!mending_) return;
  const auto next = mending_->run.step(now, [this](const ObjectRef& ref) { return drift_.live().get(ref); });
  for (const auto& row : mending_->run.rows())
    if (row.done && row.result) mended_.insert(row.result->revision());
  if (next) return want(next);
  auto done = std::exchange(mending_, nullptr);
  auto& record = done->record;
  for (const auto& row : done->run.rows()) {
    const auto& change = done->run.plan().changes[row.change];
    record.objects.push_back(
        {change.text(),
         change.source.file.empty() ? "" : SourcePos{change.source.file, change.source.line, 0}.text(),
         actionName(change.action),
         row.done ? "done" : "failed",
         row.error ? row.error->message : "",
         "",
         "",
         {}});
    if (!row.done) continue;
    auto& count = change.action == PlanAction::create    ? record.created
                  : change.action == PlanAction::replace ? record.replaced
                                                         : record.updated;
    ++count;
  }
  record.finished = now;
  record.result = done->run.failures() == 0 ? ApplyRecord::Result::healthy : ApplyRecord::Result::degraded;
  if (done->run.failures() != 0) record.message = "some objects could not be put back";
  noteRun(std::move(record), now);
  // What waits was planned against objects that were made anew since.
  if (operation_ && operation_->held()) operationDue_.reset();
  else if (operation_ && operation_->phase() == Operation::Phase::applying && operation_->waiting())
    operation_->startOver();
}

}  // namespace steer
