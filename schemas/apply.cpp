#include <algorithm>
#include <array>

#include "schemas/managed_fields.h"
#include "schemas/merge.h"
#include "schemas/normal_form.h"
#include "schemas/structure.h"

namespace steer {
namespace {

/// Identity and what the server alone writes: nobody owns these.
void stripIdentity(FieldSet& fields) {
  fields.erase("f:apiVersion");
  fields.erase("f:kind");
  if (fields.find("f:metadata") == nullptr) return;
  auto& metadata = fields.child("f:metadata");
  for (const auto* name : {"f:name", "f:namespace", "f:generateName", "f:creationTimestamp", "f:selfLink", "f:uid",
                           "f:generation", "f:managedFields", "f:resourceVersion"})
    metadata.erase(name);
  if (metadata.children().empty()) fields.erase("f:metadata");
}

FieldSet ownableFields(const KindSchema& kind, const json::object& object) {
  FieldSet fields = fieldsOf(Place::ofObject(*kind.type), object);
  stripIdentity(fields);
  return fields;
}

json::object withoutOwners(const json::object& object) {
  auto out = object;
  ensureObject(out, "metadata").stable_erase("managedFields");
  return out;
}

std::vector<FieldOwner>::iterator ownerOf(std::vector<FieldOwner>& owners, const ApplyRequest& request,
                                          std::string_view operation) {
  return std::find_if(owners.begin(), owners.end(), [&](const FieldOwner& o) {
    return o.manager == request.manager && o.operation == operation && o.subresource == request.subresource;
  });
}

Error conflictError(const std::vector<std::pair<const FieldOwner*, FieldSet>>& conflicts) {
  std::size_t count = 0;
  Error error;
  error.code = Errc::conflict;
  std::string text;
  for (const auto& [owner, fields] : conflicts) {
    const auto paths = fields.paths();
    count += paths.size();
    text += (text.empty() ? "" : "\n") + std::string(paths.size() == 1 ? "conflict with " : "conflicts with ") +
            owner->text() + ":";
    for (const auto& path : paths) {
      text += (paths.size() == 1 ? " " : "\n- ") + path;
      error.causes.push_back({"FieldManagerConflict", path, "conflict with " + owner->text()});
    }
  }
  error.message = "Apply failed with " + std::to_string(count) + (count == 1 ? " conflict: " : " conflicts: ") + text;
  return error;
}

/// Takes what the apply changed away from its other owners, or reports who owns it.
Result<void> settleConflicts(std::vector<FieldOwner>& owners, const FieldOwner* mine, const FieldSet& changed,
                             bool force) {
  std::vector<std::pair<const FieldOwner*, FieldSet>> conflicts;
  for (auto& owner : owners) {
    if (&owner == mine) continue;
    auto common = owner.fields.intersect(changed);
    if (common.empty()) continue;
    if (force) owner.fields = owner.fields.minus(common);
    else conflicts.emplace_back(&owner, std::move(common));
  }
  if (!conflicts.empty()) return conflictError(conflicts);
  return {};
}

json::object mergeOverLive(const KindSchema& kind, const json::object& live, const json::object& applied) {
  auto said = applied;
  // The server's own fields come from the live object.
  if (auto* metadata = said.if_contains("metadata"); metadata != nullptr && metadata->is_object())
    for (const auto* name : {"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"})
      metadata->get_object().stable_erase(name);
  return std::move(mergeApplied(Place::ofObject(*kind.type), live, said).get_object());
}

FieldOwner freshOwner(const KindSchema& kind, const ApplyRequest& request, std::string_view operation) {
  FieldOwner owner;
  owner.manager = request.manager;
  owner.operation = operation;
  owner.subresource = request.subresource;
  owner.apiVersion = kind.gvk.apiVersion();
  return owner;
}

}  // namespace

Result<json::object> applyServerSide(const KindSchema& kind, const json::object* live, const json::object& applied,
                                     const ApplyRequest& request) {
  auto said = withoutOwners(applied);
  toNormalForm(kind, said);
  const auto fields = ownableFields(kind, said);
  if (live == nullptr) {
    auto owner = freshOwner(kind, request, "Apply");
    owner.time = request.time;
    owner.fields = fields;
    writeOwners(said, {owner});
    return said;
  }

  auto owners = readOwners(*live);
  const auto before = withoutOwners(*live);
  auto merged = mergeOverLive(kind, before, said);
  dropMeaningless(kind, merged);
  auto mine = ownerOf(owners, request, "Apply");
  const bool known = mine != owners.end();
  const auto place = Place::ofObject(*kind.type);
  if (owners.size() > (known ? 1U : 0U) && merged != before) {
    const auto changes = compareFields(place, before, merged);
    // What is said to be empty shows as removed.
    const auto contested = changes.changed.unionWith(changes.removed.intersect(fields));
    STEER_CHECK(settleConflicts(owners, known ? &*mine : nullptr, contested, request.force));
  }
  if (known) {
    const auto dropped = mine->fields.minus(fields);
    if (!dropped.empty()) {
      FieldSet kept = fields;
      for (const auto& owner : owners)
        if (&owner != &*mine) kept = kept.unionWith(owner.fields);
      json::value value(std::move(merged));
      removeFields(place, value, dropped, kept);
      merged = std::move(value.get_object());
    }
  }
  const bool same = known && mine->fields == fields && mine->apiVersion == kind.gvk.apiVersion() && merged == before;
  if (same) return *live;
  if (!known) mine = owners.insert(owners.end(), freshOwner(kind, request, "Apply"));
  mine->fields = fields;
  mine->apiVersion = kind.gvk.apiVersion();
  mine->time = request.time;
  writeOwners(merged, owners);
  return merged;
}

void trackUpdate(const KindSchema& kind, const json::object* before, json::object& after, const ApplyRequest& request) {
  // One empty entry is the way to ask for a fresh start.
  const auto& sent = arrayAt(after, {"metadata", "managedFields"});
  const bool reset = sent.size() == 1 && sent[0].is_object() && sent[0].get_object().empty();
  auto owners = before == nullptr || reset ? std::vector<FieldOwner>{} : readOwners(*before);
  const auto place = Place::ofObject(*kind.type);
  FieldChanges changes;
  if (before == nullptr) {
    changes.changed = fieldsOf(place, withoutOwners(after));
  } else if (!reset) {
    changes = compareFields(place, withoutOwners(*before), withoutOwners(after));
  }
  stripIdentity(changes.changed);
  stripIdentity(changes.removed);
  if (changes.changed.empty() && changes.removed.empty()) {
    auto& metadata = ensureObject(after, "metadata");
    const auto* old = before == nullptr || reset ? nullptr : find(*before, {"metadata", "managedFields"});
    if (old == nullptr) metadata.stable_erase("managedFields");
    else metadata["managedFields"] = *old;
    return;
  }
  const auto lost = changes.changed.unionWith(changes.removed);
  for (auto& owner : owners) owner.fields = owner.fields.minus(lost);
  auto mine = ownerOf(owners, request, "Update");
  if (mine == owners.end()) mine = owners.insert(owners.end(), freshOwner(kind, request, "Update"));
  mine->fields = mine->fields.unionWith(changes.changed);
  mine->apiVersion = kind.gvk.apiVersion();
  mine->time = request.time;
  writeOwners(after, owners);
}

}  // namespace steer
