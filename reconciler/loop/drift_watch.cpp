#include "reconciler/loop/drift_watch.h"

#include <algorithm>

#include "reconciler/apply/planner.h"
#include "schemas/schema.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

constexpr int kFreeHealings = 3;
constexpr int kFight = 6;                 ///< changes that came back at once, one after the other
constexpr Duration kAtOnce = seconds(2);  ///< a person is not that quick each time
constexpr Duration kTruce = minutes(10);  ///< then it is tried once more

std::vector<Informer::Source> sourcesOf(const std::string& application) {
  std::vector<Informer::Source> out;
  for (const auto& resource : ownableResources()) {
    Informer::Source source{resource, {}};
    source.options.labelSelector = std::string(kApplicationLabel) + "=" + application;
    out.push_back(std::move(source));
  }
  return out;
}

/// The manager other than us whose entry is the newest.
std::string lastManager(const Object& object) {
  std::string_view newest;
  std::string manager;
  for (const auto& entry : arrayAt(object.metadata(), {"managedFields"})) {
    const auto name = stringAt(entry, {"manager"});
    const auto time = stringAt(entry, {"time"});
    if (name == kFieldManager || stringAt(entry, {"subresource"}) == "status" || time < newest) continue;
    newest = time;
    manager = std::string(name);
  }
  return manager;
}

std::vector<FieldChange> changed(const ObjectPtr& before, const ObjectPtr& after) {
  return diffObjects(SchemaRegistry::builtin().find(after->gvk()), before->json(), after->json());
}

}  // namespace

std::string driftText(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after) return "deleted";
  if (after->deleting()) return "deletion was asked for";
  if (!before) return "made anew by " + (lastManager(*after).empty() ? "someone else" : lastManager(*after));
  std::string out;
  std::size_t count = 0;
  for (const auto& change : changed(before, after)) {
    if (++count > 5) continue;
    out += (out.empty() ? "" : ", ") + change.path;
  }
  if (count > 5) out += " and " + std::to_string(count - 5) + " more";
  const auto manager = lastManager(*after);
  return out + " changed" + (manager.empty() ? "" : " by " + manager);
}

DriftWatch::DriftWatch(Client& client, const std::string& application, Waker waker)
    : informer_(client, sourcesOf(application), std::move(waker), nullptr, Snapshot::Indexes::none) {}

void DriftWatch::setWanted(const std::vector<WantedObject>& wanted) {
  wanted_.clear();
  for (const auto& w : wanted)
    if (isState(w.body)) wanted_.insert(w.ref);
  std::erase_if(suspects_, [&](const auto& s) { return !wanted_.contains(s.first); });
  for (const auto& [ref, how] : fights_) pace_.erase(ref);  // perhaps the new manifests agree with the other side
  fights_.clear();
}

void DriftWatch::changeWanted(const std::vector<WantedObject>& changed, const std::vector<ObjectRef>& removed) {
  for (const auto& ref : removed) {
    wanted_.erase(ref);
    suspects_.erase(ref);
    touched_.insert(ref);
  }
  for (const auto& w : changed) {
    if (!isState(w.body)) {
      wanted_.erase(w.ref);
      suspects_.erase(w.ref);
    } else {
      wanted_.insert(w.ref);
    }
    touched_.insert(w.ref);
    if (fights_.erase(w.ref) != 0) pace_.erase(w.ref);
  }
}

void DriftWatch::pump(Time now, const std::set<std::uint64_t>& own) {
  const bool known = informer_.synced();  // the first listing is no news
  informer_.pump(now, [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
    const ObjectPtr& any = after ? after : before;
    ObjectRef ref{resource, any->ns(), any->name()};
    if (after && !after->annotation(kBreakGlass).empty()) marked_.insert(ref);
    else marked_.erase(ref);
    if (!known || !wanted_.contains(ref)) return;
    touched_.insert(ref);
    if (after && own.contains(after->revision())) return;
    if (before && after && !after->deleting() && changed(before, after).empty()) return;
    auto how = driftText(before, after);
    noteReturn(ref, how, now);
    suspects_[std::move(ref)] = std::move(how);
  });
}

/// What comes back at once each time that it is put right is done by a machine, which does not give in either.
void DriftWatch::noteReturn(const ObjectRef& ref, const std::string& how, Time now) {
  const auto it = pace_.find(ref);
  if (it == pace_.end() || !std::exchange(it->second.healed, false)) return;
  auto& pace = it->second;
  pace.returned = now - pace.last <= kAtOnce ? pace.returned + 1 : 0;
  if (pace.returned < kFight) {
    fights_.erase(ref);
    return;
  }
  pace.returned = kFight - 1;
  pace.notBefore = now + kTruce;
  fights_[ref] = how;
}

std::vector<DriftWatch::Suspect> DriftWatch::takeDue(Time now) {
  std::vector<Suspect> out;
  for (auto it = suspects_.begin(); it != suspects_.end();) {
    const auto pace = pace_.find(it->first);
    if (pace != pace_.end() && pace->second.notBefore > now) {
      ++it;
      continue;
    }
    out.push_back({it->first, it->second});
    it = suspects_.erase(it);
  }
  return out;
}

std::optional<Time> DriftWatch::nextDue() const {
  std::optional<Time> next;
  for (const auto& [ref, how] : suspects_) {
    const auto pace = pace_.find(ref);
    const Time due = pace == pace_.end() ? Time{} : pace->second.notBefore;
    if (!next || due < *next) next = due;
  }
  return next;
}

void DriftWatch::noteHealed(const ObjectRef& ref, Time now) {
  Pace& pace = pace_[ref];
  pace.count = now - pace.last < seconds(60) ? pace.count + 1 : 1;
  pace.last = now;
  pace.healed = true;
  if (pace.count > kFreeHealings)
    pace.notBefore = now + std::min<Duration>(seconds(1) * (1 << std::min(pace.count - kFreeHealings, 6)), seconds(60));
}

}  // namespace steer
