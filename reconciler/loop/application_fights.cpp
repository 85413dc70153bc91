// What an application does about objects that something else changes back at once, and about those that go by
// themselves.
#include "core/log.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/plan/hooks.h"
#include "schemas/sync_order.h"

namespace steer {

std::string fightText(const std::pair<const ObjectRef, std::string>& fight) {
  return fight.first.text() + ": " + fight.second +
         ", again and again as soon as it is put back; it is left as it is for a while, or until its manifest changes";
}

void ApplicationLoop::showFights(Time now) {
  if (drift_.fights() == fights_) return;
  for (const auto& fight : drift_.fights()) {
    if (fights_.contains(fight.first)) continue;
    emitEvent({{"name", fight.first.name}, {"namespace", fight.first.ns}}, fight.first.ns, "Warning", "FightStopped",
              fightText(fight), now);
    log::warn("two sides change an object back and forth", {{"app", options_.name}, {"what", fightText(fight)}});
  }
  fights_ = drift_.fights();
  if (fights_.empty()) return status_.dropCondition("Fighting");
  std::string all;
  for (const auto& fight : fights_) all += (all.empty() ? "" : "; ") + fightText(fight);
  status_.setCondition("Fighting", true, "ChangedBack", all, now);
}

/// Of a hook that is removed when it went well, its runs for the commit that is carried out: they are not repeated.
void ApplicationLoop::noteHookRuns(const ObjectRef& ref) {
  const auto& gone = operation_->goneHooks();
  const auto fresh = gone.find(ref);
  if (fresh == gone.end()) return;
  auto marks = fresh->second;
  const auto& commit = operation_->record().commit;
  for (const auto& mark : runMarksIn(ranOnce_[ref]))
    if (mark.starts_with(commit)) marks.insert(mark);
  std::string text;
  for (const auto& mark : marks) text += (text.empty() ? "" : " ") + mark;
  ranOnce_[ref] = text;
}

/// Remembers what was made and will go by itself, so that its absence is no drift.
void ApplicationLoop::noteRanOnce() {
  const auto before = ranOnce_;
  for (const auto& w : *wanted_) {
    if (syncOrderOf(w.body).hook != Hook::none) {
      noteHookRuns(w.ref);
    } else if (!goesByItself(w.body)) {
      if (!ranOnce_.empty()) ranOnce_.erase(w.ref);
    } else if (operation_->written().contains(w.ref)) {
      ranOnce_[w.ref] = manifestDigest(w.body);
    }
  }
  if (ranOnce_ == before) return;
  if (ranOnce_.empty()) status_.setDetail("ranOnce", nullptr);
  else status_.setDetail("ranOnce", ranOnceJson(ranOnce_));
}

}  // namespace steer
