#include "reconciler/plan/drift.h"

#include <algorithm>

#include "core/address_credentials.h"
#include "reconciler/plan/field_steps.h"
#include "reconciler/plan/fingerprint.h"
#include "schemas/managed_fields.h"

namespace steer {
namespace {

/// Whoever acts as a part of the system: controllers, the scheduler, nodes.
bool isSystem(const std::string& manager) {
  return manager.starts_with("system:") || manager.starts_with("kube-") || manager.starts_with("steer");
}

std::string applyTime(const std::vector<FieldOwner>& owners) {
  for (const auto& o : owners)
    if (o.manager == kFieldManager && o.operation == "Apply" && o.subresource.empty()) return o.time;
  return "";
}

/// The value at a place spelled as differences spell it; null when there is none.
const json::value* valueAt(const json::value& root, const std::vector<std::string>& steps) {
  const json::value* at = &root;
  for (const auto& step : steps) {
    if (step.starts_with("[") || !at->is_object()) return nullptr;
    at = at->get_object().if_contains(jkey(step));
    if (at == nullptr) return nullptr;
  }
  return at;
}

class ObjectReader {
 public:
  explicit ObjectReader(const PlannedChange& change) : change_(change), owners_(readOwners(change.live->json())) {}

  std::vector<DriftedField> read() {
    for (const auto& field : change_.fields) lost(field);
    added();
    return std::move(out_);
  }

 private:
  const FieldOwner* holderOf(const std::string& path) const {
    const FieldOwner* newest = nullptr;
    for (const auto& owner : owners_) {
      if (owner.manager == kFieldManager || owner.subresource == "status") continue;
      const auto paths = leafPaths(owner.fields);
      const bool holds = std::any_of(paths.begin(), paths.end(), [&](const auto& p) {
        return p == path || p.starts_with(path + ".") || p.starts_with(path + "[") || path.starts_with(p + ".") ||
               path.starts_with(p + "[");
      });
      if (holds && (newest == nullptr || owner.time > newest->time)) newest = &owner;
    }
    return newest;
  }

  /// A difference from the source counts when someone else made it after our last apply. What nobody
  /// holds was removed by someone; managedFields do not say by whom.
  void lost(const FieldChange& field) {
    const auto* holder = holderOf(field.path);
    const auto since = applyTime(owners_);
    if (holder != nullptr && (holder->time < since || isSystem(holder->manager))) return;
    if (holder == nullptr && (field.before || !removed(field.path))) return;
    out_.push_back({field.path, DriftedField::Kind::lost, field.after, field.before,
                    holder == nullptr ? "" : holder->manager, holder == nullptr ? "" : holder->time});
    told_.push_back(field.path);
  }

  /// Held by us still, and yet not there.
  bool removed(const std::string& path) const {
    for (const auto& owner : owners_)
      if (owner.manager == kFieldManager && owner.operation == "Apply")
        for (const auto& p : leafPaths(owner.fields))
          if (p == path || p.starts_with(path + ".") || p.starts_with(path + "[")) return true;
    return false;
  }

  void added() {
    const auto since = applyTime(owners_);
    const json::value live(withoutCredentials(json::value(withoutSecrets(change_.live->json()))));
    for (const auto& owner : owners_) {
      if (owner.manager == kFieldManager || owner.subresource == "status" || isSystem(owner.manager)) continue;
      if (owner.time < since) continue;
      for (const auto& path : leafPaths(owner.fields)) {
        if (std::any_of(told_.begin(), told_.end(), [&](const auto& t) {
              return path == t || path.starts_with(t + ".") || path.starts_with(t + "[") || t.starts_with(path + ".") ||
                     t.starts_with(path + "[");
            }))
          continue;
        const auto steps = parsePathPattern(path);
        const auto* value = steps ? valueAt(live, *steps) : nullptr;
        const json::value wanted(change_.wanted);
        if (steps && value != nullptr && valueAt(wanted, *steps) != nullptr) continue;  // the same value, held by both
        out_.push_back({path, DriftedField::Kind::added, std::nullopt,
                        value == nullptr ? std::optional<json::value>() : *value, owner.manager, owner.time});
      }
    }
  }

  const PlannedChange& change_;
  std::vector<FieldOwner> owners_;
  std::vector<DriftedField> out_;
  std::vector<std::string> told_;
};

}  // namespace

std::vector<ObjectDrift> driftOf(const Plan& plan) {
  std::vector<ObjectDrift> out;
  for (const auto& change : plan.changes) {
    if (change.action == PlanAction::remove) continue;
    ObjectDrift drift{change.ref, change.gvk, change.source};
    drift.missing = !change.live;
    if (change.live && !change.adopts) drift.fields = ObjectReader(change).read();
    if (drift.missing || !drift.fields.empty()) out.push_back(std::move(drift));
  }
  return out;
}

}  // namespace steer
