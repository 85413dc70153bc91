#include "reconciler/plan/plan.h"

#include <algorithm>
#include <tuple>

#include "reconciler/plan/fingerprint.h"
#include "schemas/schema.h"

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

void collectPaths(const json::value& fields, const std::string& at, std::vector<std::string>& out) {
  const auto* members = fields.if_object();
  if (members == nullptr) return;
  bool leaf = true;
  for (const auto& [key, value] : *members) {
    const std::string_view k(key.data(), key.size());
    if (!k.starts_with("f:")) continue;
    leaf = false;
    collectPaths(value, at.empty() ? std::string(k.substr(2)) : at + "." + std::string(k.substr(2)), out);
  }
  if (leaf && !at.empty()) out.push_back(at);
}

/// Fields that other managers lost to us, as "spec.replicas from kubectl-edit".
std::vector<std::string> takenFields(const json::object& before, const json::object& after) {
  std::vector<std::string> out;
  for (const auto& entry : arrayAt(before, {"metadata", "managedFields"})) {
    const auto manager = stringAt(entry, {"manager"});
    if (manager == kFieldManager || !stringAt(entry, {"subresource"}).empty()) continue;
    const auto* had = find(entry, {"fieldsV1"});
    if (had == nullptr) continue;
    std::vector<std::string> old;
    collectPaths(*had, "", old);
    std::vector<std::string> kept;
    for (const auto& now : arrayAt(after, {"metadata", "managedFields"}))
      if (stringAt(now, {"manager"}) == manager && stringAt(now, {"operation"}) == stringAt(entry, {"operation"}))
        if (const auto* has = find(now, {"fieldsV1"})) collectPaths(*has, "", kept);
    for (const auto& path : old)
      if (std::find(kept.begin(), kept.end(), path) == kept.end())
        out.push_back(path + " from " + std::string(manager));
  }
  return out;
}

std::string refusalText(const Error& error) {
  std::string out = error.message;
  for (const auto& cause : error.causes)
    if (out.find(cause.message) == std::string::npos)
      out += (out.empty() ? "" : "; ") + (cause.field.empty() ? "" : cause.field + ": ") + cause.message;
  return out;
}

PlannedChange decide(WantedObject wanted, const Result<ObjectPtr>& predicted, const PlanInput& input) {
  PlannedChange c;
  c.ref = wanted.ref;
  c.gvk = Gvk::from(stringAt(wanted.body, {"apiVersion"}), stringAt(wanted.body, {"kind"}));
  c.wave = waveOf(c.gvk);
  c.source = std::move(wanted.source);
  c.wanted = std::move(wanted.body);
  if (input.unchanged.contains(c.ref)) return c;
  if (const auto it = input.live.find(c.ref); it != input.live.end()) c.live = it->second;
  c.action = c.live ? PlanAction::update : PlanAction::create;
  c.adopts = c.live && !ownedBy(*c.live, input.application);
  if (!predicted.ok()) {
    const auto forced = c.live ? immutableField(predicted.error()) : std::nullopt;
    const auto renewed = input.renewed.find(c.ref);
    if (forced && renewed != input.renewed.end() && renewed->second.ok()) {
      c.action = PlanAction::replace;
      c.forcedBy = *forced;
      c.predicted = *renewed->second;
      c.fields = diffObjects(schemaOf(c.gvk), c.live->json(), c.predicted->json());
    } else {
      c.refusal = refusalText(forced && renewed != input.renewed.end() ? renewed->second.error() : predicted.error());
    }
    return c;
  }
  c.predicted = *predicted;
  if (!c.live) return c;
  const json::object& after = c.predicted->json();
  c.fields = diffObjects(schemaOf(c.gvk), c.live->json(), after);
  c.taken = takenFields(c.live->json(), after);
  if (c.fields.empty() && ownedFields(c.live->json()) == ownedFields(after)) c.action = PlanAction::none;
  return c;
}

}  // namespace

Plan buildPlan(PlanInput input) {
  Plan plan;
  plan.application = input.application;
  plan.source = input.source;
  std::set<ObjectRef> kept;
  for (std::size_t i = 0; i < input.wanted.size(); ++i) {
    kept.insert(input.wanted[i].ref);
    plan.changes.push_back(decide(std::move(input.wanted[i]), input.predicted[i], input));
  }
  for (const auto& [ref, object] : input.owned) {
    if (kept.contains(ref) || object->deleting() || !ownedBy(*object, input.application)) continue;
    PlannedChange c;
    c.action = PlanAction::remove;
    c.ref = ref;
    c.gvk = object->gvk();
    c.wave = waveOf(c.gvk);
    c.live = object;
    plan.changes.push_back(std::move(c));
  }
  const auto key = [](const PlannedChange& c) {
    const bool removal = c.action == PlanAction::remove;
    const int wave = static_cast<int>(c.wave);
    return std::tuple(removal, removal ? -wave : wave, std::tie(c.ref.ns, c.gvk.kind, c.ref.name));
  };
  std::stable_sort(plan.changes.begin(), plan.changes.end(),
                   [&](const PlannedChange& a, const PlannedChange& b) { return key(a) < key(b); });
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
  return print.hex();
}

}  // namespace steer
