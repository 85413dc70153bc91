#include "reconciler/apply/apply_stages.h"

#include <algorithm>
#include <set>

namespace steer {

bool ApplyRun::StageBuilder::hooksRun() const {
  switch (run_.options_.hooks) {
    case ApplyOptions::Hooks::skip:
      return false;
    case ApplyOptions::Hooks::whenDue:
      return run_.plan_.hooksDue();
    case ApplyOptions::Hooks::always:
      break;
  }
  return !run_.plan_.hooks.empty();
}

void ApplyRun::StageBuilder::addRow(std::size_t index, Stage::Kind kind) {
  const auto& c = run_.plan_.changes[index];
  auto& stages = run_.stages_;
  if (stages.empty() || stages.back().kind != kind || stages.back().wave != c.wave ||
      stages.back().syncWave != c.syncWave)
    stages.push_back({kind, c.syncWave, c.wave});
  run_.rows_.push_back({index});
  // What is being deleted already goes as whoever deletes it asked for.
  const auto phase = c.vanishing.empty() ? Pending::Phase::write : Pending::Phase::await;
  stages.back().pending.push_back({run_.rows_.size() - 1, phase});
  stages.back().rows.push_back(run_.rows_.size() - 1);
  placed_[index] = true;
}

/// A hook cannot run in a namespace that this very plan makes, unless that comes first.
void ApplyRun::StageBuilder::addHomesOfHooks() {
  std::set<std::string> homes;
  for (const auto& hook : run_.plan_.hooks)
    if (hook.when == Hook::preSync) homes.insert(hook.ref.ns);
  for (std::size_t i = 0; i < run_.plan_.changes.size(); ++i) {
    const auto& c = run_.plan_.changes[i];
    if (c.action == PlanAction::create && c.ref.resource == "namespaces" && homes.contains(c.ref.name))
      addRow(i, Stage::Kind::changes);
  }
}

void ApplyRun::StageBuilder::addHooks(Hook when) {
  for (const auto& hook : run_.plan_.hooks) {
    if (hook.when != when) continue;
    auto& stages = run_.stages_;
    const auto kind = when == Hook::syncFail ? Stage::Kind::failHooks : Stage::Kind::hooks;
    if (stages.empty() || stages.back().kind != kind || stages.back().syncWave != hook.wave ||
        stages.back().hooks.front().hook().when != when)
      stages.push_back({kind, hook.wave});
    stages.back().hooks.emplace_back(run_.client_, hook, run_.options_.hookRun, run_.options_.healthTimeout,
                                     run_.plan_.account);
  }
}

/// What the wave waits for would else come last, and the wave never end.
void ApplyRun::StageBuilder::addFreeing() {
  const auto& changes = run_.plan_.changes;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (!placed_[i] && !changes[i].freed.empty() &&
        std::any_of(unwatched_.begin(), unwatched_.end(),
                    [&](std::size_t at) { return changes[at].ref == changes[i].freesFor; }))
      addRow(i, Stage::Kind::removals);
}

void ApplyRun::StageBuilder::addHealth() {
  if (unwatched_.empty()) return;
  addFreeing();
  run_.stages_.push_back({Stage::Kind::health, run_.plan_.changes[unwatched_.back()].syncWave});
  run_.stages_.back().watched = std::move(unwatched_);
  unwatched_.clear();
}

void ApplyRun::StageBuilder::addChanges() {
  const auto& changes = run_.plan_.changes;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool removal = changes[i].action == PlanAction::remove;
    if (removal && changes[i].makesWayFor.name.empty()) continue;
    if (changes[i].action != PlanAction::none && !placed_[i]) {
      if (!unwatched_.empty() && changes[unwatched_.back()].syncWave < changes[i].syncWave) addHealth();
      addRow(i, removal ? Stage::Kind::removals : Stage::Kind::changes);
    }
    if (!removal) unwatched_.push_back(i);
  }
}

void ApplyRun::StageBuilder::addRemovals() {
  const auto& changes = run_.plan_.changes;
  for (std::size_t i = 0; i < changes.size(); ++i)
    if (changes[i].action == PlanAction::remove && !placed_[i]) addRow(i, Stage::Kind::removals);
  auto& stages = run_.stages_;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i)
    stages[i].awaitGone =
        stages[i].kind == Stage::Kind::removals &&
        (stages[i + 1].kind == Stage::Kind::changes ||
         (stages[i + 1].kind == Stage::Kind::removals && stages[i + 1].syncWave != stages[i].syncWave));
}

void ApplyRun::StageBuilder::build() {
  placed_.assign(run_.plan_.changes.size(), false);
  const bool hooks = hooksRun();
  if (hooks) {
    addHomesOfHooks();
    addHooks(Hook::preSync);
  }
  addChanges();
  if (hooks) addHooks(Hook::sync);
  addRemovals();
  const auto& all = run_.plan_.hooks;
  if (hooks && std::any_of(all.begin(), all.end(), [](const auto& h) { return h.when == Hook::postSync; })) {
    addHealth();
    addHooks(Hook::postSync);
  }
  if (run_.options_.hooks != ApplyOptions::Hooks::skip) addHooks(Hook::syncFail);
  std::set<int> waves;
  for (const auto& stage : run_.stages_)
    if (stage.kind != Stage::Kind::hooks && stage.kind != Stage::Kind::failHooks) waves.insert(stage.syncWave);
  run_.manyWaves_ = waves.size() > 1;
}

}  // namespace steer
