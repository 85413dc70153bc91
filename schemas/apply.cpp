#include <algorithm>
#include <utility>

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
  const auto* found = fields.find("f:metadata");
  if (found == nullptr) return;
  // The object has metadata in any case: nobody owns that it is there.
  auto metadata = FieldSet::ofChildren(found->children());
  for (const auto* name : {"f:name", "f:namespace", "f:generateName", "f:creationTimestamp", "f:selfLink", "f:uid",
                           "f:generation", "f:managedFields", "f:resourceVersion"})
    metadata.erase(name);
  fields.erase("f:metadata");
  if (!metadata.empty()) fields.child("f:metadata") = std::move(metadata);
}

/// What a write through this door cannot change is nobody's: the status of an object that has a door of its own for
/// it, and everything but the status there. Source: the reset fields of Kubernetes' strategies.
void stripReset(const KindSchema& kind, const std::string& subresource, FieldSet& fields) {
  if (subresource == "status") fields.erase("f:spec");
  else if (kind.subresource("status") != nullptr) fields.erase("f:status");
}

json::object withoutOwners(const json::object& object) {
  auto out = object;
  ensureObject(out, "metadata").stable_erase("managedFields");
  return out;
}

/// An applier is one in all versions of the kind; updates in different versions are kept apart.
std::vector<FieldOwner>::iterator ownerOf(std::vector<FieldOwner>& owners, const ApplyRequest& request,
                                          std::string_view operation, std::string_view apiVersion) {
  return std::find_if(owners.begin(), owners.end(), [&](const FieldOwner& o) {
    return o.manager == request.manager && o.operation == operation && o.subresource == request.subresource &&
           (operation == "Apply" || o.apiVersion == apiVersion);
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

/// Takes what the apply changes and removes away from its other owners, or reports who owns what it changes.
Result<void> settleConflicts(std::vector<FieldOwner>& owners, const FieldOwner& mine, const FieldChanges& changes,
                             const ApplyRequest& request) {
  std::vector<std::pair<const FieldOwner*, FieldSet>> conflicts;
  for (const auto& owner : owners) {
    if (&owner == &mine) continue;
    if (auto common = owner.fields.intersect(changes.changed).minus(request.excused); !common.empty())
      conflicts.emplace_back(&owner, std::move(common));
  }
  if (!request.force && !conflicts.empty()) return conflictError(conflicts);
  for (auto& owner : owners)
    if (&owner != &mine) owner.fields = owner.fields.minus(changes.changed).minus(changes.removed);
  return {};
}

/// What the body asks for; the server's own fields are never asked for.
json::object askedFor(const KindSchema& kind, const json::object& applied, const ApplyRequest& request) {
  auto said = withoutOwners(applied);
  const auto* door = kind.subresource("status");
  if (request.subresource == "status") said.stable_erase("spec");
  else if (door != nullptr) said.stable_erase("status");
  auto* metadata = said.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return said;
  if (request.subresource == "status" && door != nullptr)
    for (const auto& name : door->keeps) metadata->get_object().stable_erase(name);
  for (const auto* name : {"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"})
    metadata->get_object().stable_erase(name);
  return said;
}

/// Whether the merged object, stored, is the one that lives: another spelling of the same is no change.
bool storedAlike(const KindSchema& kind, json::object merged, const json::object& live) {
  if (merged == live) return true;
  toNormalForm(kind, merged);
  dropMeaningless(kind, merged);
  return merged == live;
}

FieldOwner freshOwner(const KindSchema& kind, const ApplyRequest& request, std::string_view operation) {
  FieldOwner owner;
  owner.manager = request.manager;
  owner.operation = operation;
  owner.subresource = request.subresource;
  owner.apiVersion = kind.gvk.apiVersion();
  return owner;
}

FieldSet ownedByAll(const std::vector<FieldOwner>& owners) {
  FieldSet out;
  for (const auto& owner : owners) out = out.unionWith(owner.fields);
  // Every word names the object, whoever owns what of it.
  for (const auto* name : {"f:name", "f:namespace"}) out.child("f:metadata").child(name).addSelf();
  for (const auto* name : {"f:apiVersion", "f:kind"}) out.child(name).addSelf();
  return out;
}

void takeFields(const KindSchema& kind, std::vector<FieldOwner>& owners, const FieldSet& changed,
                const ApplyRequest& request) {
  auto mine = ownerOf(owners, request, "Update", kind.gvk.apiVersion());
  if (mine == owners.end()) mine = owners.insert(owners.end(), freshOwner(kind, request, "Update"));
  mine->fields = mine->fields.unionWith(changed);
  mine->time = request.time;
}

Error repeatedError(const KindSchema& kind, const json::object& said, const std::vector<RepeatedItem>& repeated) {
  Error error;
  error.code = Errc::invalid;
  const auto ns = stringAt(said, {"metadata", "namespace"});
  error.message = "failed to create typed patch object (" + (ns.empty() ? "" : std::string(ns) + "/") +
                  std::string(stringAt(said, {"metadata", "name"})) + "; " + kind.gvk.apiVersion() +
                  ", Kind=" + kind.gvk.kind + "): ";
  for (const auto& item : repeated) {
    const auto text = "duplicate entries for key " + item.key;
    if (!error.causes.empty()) error.message += ", ";
    error.message += item.path + ": " + text;
    error.causes.push_back({"FieldValueDuplicate", item.path, text});
  }
  return error;
}

}  // namespace

Result<json::object> applyServerSide(const KindSchema& kind, const json::object* live, const json::object& applied,
                                     const ApplyRequest& request) {
  const auto place = Place::ofObject(*kind.type);
  auto said = askedFor(kind, applied, request);
  if (const auto repeated = repeatedItems(place, said); !repeated.empty()) return repeatedError(kind, said, repeated);
  auto fields = fieldsOf(place, said);
  stripIdentity(fields);
  if (live == nullptr) {
    auto owner = freshOwner(kind, request, "Apply");
    owner.time = request.time;
    owner.fields = std::move(fields);
    writeOwners(said, {owner});
    return said;
  }

  auto owners = readOwners(*live);
  const auto before = withoutOwners(*live);
  const auto known = ownerOf(owners, request, "Apply", kind.gvk.apiVersion());
  const bool fresh = known == owners.end();
  const auto mine = fresh ? owners.insert(owners.end(), freshOwner(kind, request, "Apply")) : known;
  const auto last = std::exchange(mine->fields, fields);
  auto merged = mergeApplied(place, before, said);
  // What is left empty by pruning is absent; where it is asked for as empty it comes back, or the next apply would
  // bring it.
  if (!last.minus(fields).empty())
    merged = mergeApplied(place, pruneDropped(place, std::move(merged), last, ownedByAll(owners)), said);
  auto& object = merged.get_object();
  if (owners.size() > 1 && object != before) {
    auto changes = compareFields(place, before, object);
    stripReset(kind, request.subresource, changes.changed);
    stripReset(kind, request.subresource, changes.removed);
    STEER_CHECK(settleConflicts(owners, *mine, changes, request));
  }
  const bool same = !fresh && last == fields && mine->apiVersion == kind.gvk.apiVersion();
  if (same && storedAlike(kind, object, before)) return *live;
  mine->apiVersion = kind.gvk.apiVersion();
  mine->time = request.time;
  writeOwners(object, owners);
  return std::move(object);
}

void trackUpdate(const KindSchema& kind, const json::object* before, json::object& after, const ApplyRequest& request) {
  // One empty entry is the way to ask for a fresh start.
  const auto& sent = arrayAt(after, {"metadata", "managedFields"});
  const bool reset = sent.size() == 1 && sent[0].is_object() && sent[0].get_object().empty();
  auto owners = before == nullptr || reset ? std::vector<FieldOwner>{} : readOwners(*before);
  const auto place = Place::ofObject(*kind.type);
  FieldChanges changes;
  if (!reset)
    changes = compareFields(place, before == nullptr ? json::object() : withoutOwners(*before), withoutOwners(after));
  for (auto* set : {&changes.changed, &changes.removed}) {
    stripReset(kind, request.subresource, *set);
    stripIdentity(*set);
  }
  if (changes.changed.empty() && changes.removed.empty()) {
    auto& metadata = ensureObject(after, "metadata");
    const auto* old = before == nullptr || reset ? nullptr : find(*before, {"metadata", "managedFields"});
    if (old == nullptr) metadata.stable_erase("managedFields");
    else metadata["managedFields"] = *old;
    return;
  }
  const auto lost = changes.changed.unionWith(changes.removed);
  for (auto& owner : owners) owner.fields = owner.fields.minus(lost);
  if (!changes.changed.empty()) takeFields(kind, owners, changes.changed, request);
  capUpdaters(owners);
  writeOwners(after, owners);
}

}  // namespace steer
