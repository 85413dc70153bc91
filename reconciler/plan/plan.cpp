#include "reconciler/plan/plan.h"

#include <algorithm>
#include <tuple>

#include "reconciler/plan/field_steps.h"
#include "reconciler/plan/fingerprint.h"
#include "reconciler/plan/host_ports.h"
#include "schemas/managed_fields.h"
#include "schemas/schema.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

const KindSchema* schemaOf(const Gvk& gvk) { return SchemaRegistry::builtin().find(gvk); }

const json::value* ourEntry(const json::object& object) {
  for (const auto& entry : arrayAt(object, {"metadata", "managedFields"}))
    if (stringAt(entry, {"manager"}) == kFieldManager && stringAt(entry, {"operation"}) == "Apply" &&
        stringAt(entry, {"subresource"}).empty())
      return &entry;
  return nullptr;
}

/// What we own of the object, as text; ownership that moves is a change although no value does.
std::string ownedFields(const json::object& object) {
  const auto* entry = ourEntry(object);
  const auto* fields = entry == nullptr ? nullptr : find(*entry, {"fieldsV1"});
  return fields == nullptr ? "" : jsonCanonical(*fields);
}

/// Fields that other managers lost to us, as "spec.replicas from kubectl-edit".
std::vector<std::string> takenFields(const json::object& before, const json::object& after) {
  std::vector<std::string> out;
  const auto now = readOwners(after);
  for (const auto& had : readOwners(before)) {
    if (had.manager == kFieldManager || !had.subresource.empty()) continue;
    const auto same = std::find_if(now.begin(), now.end(), [&](const FieldOwner& o) {
      return o.manager == had.manager && o.operation == had.operation && o.subresource == had.subresource;
    });
    for (const auto& path : leafPaths(same == now.end() ? had.fields : had.fields.minus(same->fields)))
      out.push_back(path + " from " + had.manager);
  }
  return out;
}

/// `conflict with "kubectl" using apps/v1` → kubectl.
std::string quoted(const std::string& text) {
  const auto begin = text.find('"');
  const auto end = begin == std::string::npos ? begin : text.find('"', begin + 1);
  return end == std::string::npos ? text : text.substr(begin + 1, end - begin - 1);
}

/// "spec.replicas is held by kubectl"; empty when the error is no conflict of managers.
std::string conflictText(const Error& error) {
  std::string out;
  for (const auto& cause : error.causes) {
    if (cause.reason != "FieldManagerConflict") continue;
    const bool dot = cause.field.starts_with(".");
    out += (out.empty() ? "" : ", ") + cause.field.substr(dot ? 1 : 0) + " is held by " + quoted(cause.message);
  }
  return out;
}

std::string refusalText(const Error& error) {
  if (auto conflicts = conflictText(error); !conflicts.empty()) return conflicts;
  std::string out = error.message;
  for (const auto& cause : error.causes)
    if (out.find(cause.message) == std::string::npos)
      out += (out.empty() ? "" : "; ") + (cause.field.empty() ? "" : cause.field + ": ") + cause.message;
  return out;
}

/// What a deletion waits for: "waits for finalizer example.com/hold".
std::string vanishingText(const Object& live) {
  std::string out;
  for (const auto& finalizer : live.finalizers()) out += (out.empty() ? "" : ", ") + finalizer;
  if (!out.empty()) return "waits for finalizer " + out;
  if (!arrayAt(live.spec(), {"finalizers"}).empty()) return "waits until what it holds is gone";
  return "ends within its grace period";
}

PlannedChange decide(WantedObject wanted, const Result<ObjectPtr>& predicted, const PlanInput& input) {
  PlannedChange c;
  c.ref = wanted.ref;
  c.gvk = Gvk::from(stringAt(wanted.body, {"apiVersion"}), stringAt(wanted.body, {"kind"}));
  c.wave = waveOf(c.gvk);
  c.syncWave = syncOrderOf(wanted.body).wave;
  c.source = std::move(wanted.source);
  c.wanted = std::move(wanted.body);
  c.conflicts = input.conflicts;
  if (const auto it = input.left.find(c.ref); it != input.left.end()) c.left = it->second;
  if (const auto it = input.refused.find(c.ref); it != input.refused.end()) c.refusal = it->second;
  if (input.unchanged.contains(c.ref)) return c;
  if (const auto it = input.live.find(c.ref); it != input.live.end()) c.live = it->second;
  if (!c.refusal.empty()) return c;
  c.hidden = c.live && input.hidden.contains(c.ref);
  c.action = c.live ? PlanAction::update : PlanAction::create;
  c.adopts = c.live && !ownedBy(*c.live, input.application);
  if (c.adopts) {
    const std::string owner(c.live->label(kApplicationLabel));
    if (!owner.empty() && ownedBy(*c.live, owner)) c.movedFrom = owner;
  }
  if (!predicted.ok()) {
    const auto forced = c.live ? immutableField(predicted.error()) : std::nullopt;
    const auto renewed = input.renewed.find(c.ref);
    if (forced && renewed != input.renewed.end() && renewed->second.ok()) {
      c.action = PlanAction::replace;
      c.forcedBy = *forced;
      if (c.hidden) return c;
      c.predicted = *renewed->second;
      c.fields = diffObjects(schemaOf(c.gvk), c.live->json(), c.predicted->json());
    } else {
      c.refusal = refusalText(forced && renewed != input.renewed.end() ? renewed->second.error() : predicted.error());
    }
    return c;
  }
  if (c.hidden) {
    if ((*predicted)->revision() == c.live->revision()) c.action = PlanAction::none;
    return c;
  }
  c.predicted = *predicted;
  if (!c.live) return c;
  if (c.live->deleting()) {
    c.action = PlanAction::replace;
    c.vanishing = vanishingText(*c.live);
    return c;
  }
  const json::object& after = c.predicted->json();
  c.fields = diffObjects(schemaOf(c.gvk), c.live->json(), after);
  c.taken = takenFields(c.live->json(), after);
  if (c.fields.empty() && ownedFields(c.live->json()) == ownedFields(after)) c.action = PlanAction::none;
  if (!c.fields.empty() && syncPolicyOf(c.wanted).recreated) c.action = PlanAction::replace;
  return c;
}

/// A deletion that makes way stands in the wave of the change that needs it, right before.
void makeWay(const std::vector<std::pair<ObjectRef, ObjectRef>>& makesWay, std::vector<PlannedChange>& changes) {
  std::map<ObjectRef, PlannedChange*> byRef;
  for (auto& c : changes) byRef[c.ref] = &c;
  for (const auto& [gone, needed] : makesWay) {
    const auto from = byRef.find(gone);
    const auto to = byRef.find(needed);
    if (from == byRef.end() || to == byRef.end() || from->second->action != PlanAction::remove) continue;
    if (from->second->makesWayFor.name.empty()) {  // the first that needs it
      from->second->makesWayFor = needed;
      from->second->wave = to->second->wave;
      from->second->syncWave = to->second->syncWave;
    }
    to->second->after.push_back(from->second->text());
  }
}

void freePorts(std::vector<PlannedChange>& changes) {
  for (auto& gone : changes) {
    if (gone.action != PlanAction::remove || !gone.makesWayFor.name.empty() || !gone.live) continue;
    for (const auto& c : changes) {
      if (c.action == PlanAction::none || c.action == PlanAction::remove || !c.refusal.empty()) continue;
      gone.freed = sharedHostPort(c.predicted ? c.predicted->json() : c.wanted, gone.live->json());
      if (gone.freed.empty()) continue;
      gone.freesFor = c.ref;
      break;
    }
  }
}

/// Changes first, deletions last and the other way round.
void putInOrder(std::vector<PlannedChange>& changes) {
  const auto key = [](const PlannedChange& c) {
    const bool first = !c.makesWayFor.name.empty();
    const bool last = c.action == PlanAction::remove && !first;
    const int wave = static_cast<int>(c.wave);
    return std::tuple(last, last ? -c.syncWave : c.syncWave, last ? -wave : wave, !first,
                      std::tie(c.ref.ns, c.gvk.kind, c.ref.name));
  };
  std::stable_sort(changes.begin(), changes.end(),
                   [&](const PlannedChange& a, const PlannedChange& b) { return key(a) < key(b); });
}

}  // namespace

namespace {

/// Owned, and asked for nowhere.
std::vector<std::pair<ObjectRef, ObjectPtr>> leftBehind(const PlanInput& input) {
  std::vector<std::pair<ObjectRef, ObjectPtr>> out;
  std::set<ObjectRef> asked;
  for (const auto& w : input.wanted) asked.insert(w.ref);
  for (const auto& [ref, object] : input.owned)
    if (!asked.contains(ref) && !input.kept.contains(ref) && !object->deleting() && ownedBy(*object, input.application))
      out.emplace_back(ref, object);
  return out;
}

/// It says itself that it is not to be deleted.
bool staysByItself(const PlanInput& input, const SyncPolicy& policy) {
  const auto asked = input.ending == PlanInput::Ending::yes ? policy.removal : policy.prune;
  return asked == SyncPolicy::Deletion::never;
}

std::vector<std::string> keptOf(const PlanInput& input) {
  std::vector<std::string> out;
  for (const auto& [ref, object] : leftBehind(input))
    if (const auto policy = syncPolicyOf(object->json()); staysByItself(input, policy))
      out.push_back(object->text() + ": " + policy.why);
  return out;
}

}  // namespace

std::vector<PlannedChange> removalsOf(const PlanInput& input) {
  std::vector<PlannedChange> out;
  for (const auto& [ref, object] : leftBehind(input)) {
    if (staysByItself(input, syncPolicyOf(object->json()))) continue;
    PlannedChange c;
    c.action = PlanAction::remove;
    c.ref = ref;
    c.gvk = object->gvk();
    c.wave = waveOf(c.gvk);
    c.syncWave = syncOrderOf(object->json()).wave;
    c.live = object;
    if (const auto it = input.undeletable.find(ref); it != input.undeletable.end()) c.refusal = refusalText(it->second);
    out.push_back(std::move(c));
  }
  putInOrder(out);
  return out;
}

Plan buildPlan(PlanInput input) {
  Plan plan;
  plan.application = input.application;
  plan.source = input.source;
  plan.hooks = std::move(input.hooks);
  plan.account = input.account;
  plan.kept = keptOf(input);
  auto removals = removalsOf(input);
  for (std::size_t i = 0; i < input.wanted.size(); ++i)
    plan.changes.push_back(decide(std::move(input.wanted[i]), input.predicted[i], input));
  plan.changes.insert(plan.changes.end(), std::make_move_iterator(removals.begin()),
                      std::make_move_iterator(removals.end()));
  makeWay(input.makesWay, plan.changes);
  freePorts(plan.changes);
  putInOrder(plan.changes);
  return plan;
}

PlanCounts Plan::counts() const {
  PlanCounts n;
  for (const auto& c : changes) {
    if (!c.refusal.empty()) {
      ++n.refused;
      continue;
    }
    switch (c.action) {
      case PlanAction::none:
        ++n.none;
        break;
      case PlanAction::create:
        ++n.create;
        break;
      case PlanAction::update:
        ++n.update;
        break;
      case PlanAction::replace:
        ++n.replace;
        break;
      case PlanAction::remove:
        ++n.remove;
        break;
    }
  }
  return n;
}

bool Plan::empty() const {
  const auto n = counts();
  return n.create + n.update + n.replace + n.remove + n.refused == 0;
}

bool Plan::hooksDue() const {
  return !hooks.empty() && (!empty() || std::any_of(hooks.begin(), hooks.end(), [](const PlannedHook& h) {
    return h.when != Hook::syncFail && !runsAtDeletion(h.when) && h.fresh();
  }));
}

std::string Plan::digest() const {
  Fingerprint print;
  for (const auto& c : changes) {
    if (c.action == PlanAction::none) continue;
    print.add(actionName(c.action));
    print.add(c.ref.text());
    print.add(jsonCanonical(withoutSecrets(c.wanted)));
    print.add(c.live ? c.live->uid() : "");
    print.add(c.refusal);
  }
  if (hooksDue())
    for (const auto& hook : hooks)
      if (!runsAtDeletion(hook.when))
        print.add(hookName(hook.when)).add(hook.ref.text()).add(jsonCanonical(hook.wanted));
  return print.hex();
}

}  // namespace steer
