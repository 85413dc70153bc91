#include "cluster/controllers/ownership.h"

#include <algorithm>

namespace steer {
namespace {

const json::object* controllerOf(const Object& object) {
  for (const auto& item : arrayAt(object.metadata(), {"ownerReferences"}))
    if (boolAt(item, {"controller"})) return item.if_object();
  return nullptr;
}

/// A merge patch of the references, bound to the revision it was made from.
Write patchOwners(const std::string& resource, const Object& object, json::array refs) {
  json::value value = refs.empty() ? json::value(nullptr) : json::value(std::move(refs));
  json::object metadata{{"resourceVersion", stringAt(object.metadata(), {"resourceVersion"})},
                        {"ownerReferences", std::move(value)}};
  return Write::patch({resource, object.ns(), object.name()}, PatchType::merge,
                      json::object{{"metadata", std::move(metadata)}});
}

}  // namespace

json::object controllerRef(const Object& owner) {
  return {{"apiVersion", owner.gvk().apiVersion()},
          {"kind", owner.kind()},
          {"name", owner.name()},
          {"uid", owner.uid()},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

Write dropOwners(const std::string& resource, const Object& object, const std::vector<std::string>& ownerUids) {
  json::array kept;
  for (const auto& item : arrayAt(object.metadata(), {"ownerReferences"}))
    if (std::find(ownerUids.begin(), ownerUids.end(), stringAt(item, {"uid"})) == ownerUids.end()) kept.push_back(item);
  return patchOwners(resource, object, std::move(kept));
}

Claim claimOwned(const Snapshot& snapshot, const std::string& resource, const Object& owner,
                 const LabelSelector& selector, bool (*adoptable)(const Object&)) {
  Claim claim;
  for (const auto& object : snapshot.ownedBy(resource, owner.uid())) {
    const auto* ref = controllerOf(*object);
    if (ref == nullptr || stringAt(*ref, {"uid"}) != owner.uid()) continue;
    if (selector.matches(object->labels())) {
      claim.owned.push_back(object);
    } else if (!owner.deleting() && !object->deleting()) {
      claim.writes.push_back(dropOwners(resource, *object, {owner.uid()}));
    }
  }
  if (owner.deleting()) return claim;
  for (const auto& object : snapshot.withoutController(resource, owner.ns())) {
    if (object->deleting() || !adoptable(*object) || !selector.matches(object->labels())) continue;
    json::array refs = arrayAt(object->metadata(), {"ownerReferences"});
    refs.push_back(controllerRef(owner));
    claim.writes.push_back(patchOwners(resource, *object, std::move(refs)));
    claim.owned.push_back(object);
  }
  return claim;
}

std::vector<Controller::Key> ownerKeys(const Snapshot& snapshot, std::string_view ownerResource,
                                       std::string_view ownerKind, const ObjectPtr& before, const ObjectPtr& after,
                                       LabelSelector (*selectorOf)(const Object&)) {
  std::vector<Controller::Key> keys;
  auto add = [&](const std::string& ns, std::string_view name) {
    Controller::Key key{ns, std::string(name)};
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  };
  for (const auto* object : {before.get(), after.get()}) {
    if (object == nullptr) continue;
    const auto* ref = controllerOf(*object);
    if (ref != nullptr && stringAt(*ref, {"kind"}) == ownerKind) add(object->ns(), stringAt(*ref, {"name"}));
  }
  if (after != nullptr && controllerOf(*after) == nullptr) {
    snapshot.each(ownerResource, after->ns(), [&](const ObjectPtr& owner) {
      if (selectorOf(*owner).matches(after->labels())) add(owner->ns(), owner->name());
    });
  }
  return keys;
}

bool namespaceEnds(const Snapshot& snapshot, const std::string& ns) {
  const auto object = snapshot.get("namespaces", "", ns);
  return object && object->deleting();
}

}  // namespace steer
