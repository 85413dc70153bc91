#include "schemas/managed_fields.h"

#include <algorithm>
#include <map>

namespace steer {

std::string FieldOwner::text() const {
  auto out = "\"" + manager + "\"";
  if (!subresource.empty()) out += " with subresource \"" + subresource + "\"";
  if (operation != "Update") return out;
  out += " using " + apiVersion;
  return time.empty() ? out : out + " at " + time;
}

std::vector<FieldOwner> readOwners(const json::object& object) {
  std::vector<FieldOwner> out;
  const auto& entries = arrayAt(object, {"metadata", "managedFields"});
  out.reserve(entries.size() + 1);
  for (const auto& entry : entries) {
    FieldOwner owner;
    owner.manager = stringAt(entry, {"manager"});
    owner.operation = stringAt(entry, {"operation"});
    owner.subresource = stringAt(entry, {"subresource"});
    owner.apiVersion = stringAt(entry, {"apiVersion"});
    owner.time = stringAt(entry, {"time"});
    owner.fields = FieldSet::fromFieldsV1(objectAt(entry, {"fieldsV1"}));
    if (!owner.manager.empty() && !owner.fields.empty()) out.push_back(std::move(owner));
  }
  return out;
}

void capUpdaters(std::vector<FieldOwner>& owners) {
  constexpr std::size_t kMost = 10;
  std::vector<FieldOwner*> updaters;
  for (auto& owner : owners)
    if (owner.operation == "Update") updaters.push_back(&owner);
  if (updaters.size() <= kMost) return;
  std::sort(updaters.begin(), updaters.end(), [](const FieldOwner* a, const FieldOwner* b) {
    return a->time != b->time ? a->time < b->time : a->manager < b->manager;  // RFC 3339 sorts as text
  });
  std::map<std::string, FieldOwner*> buckets;  // by version; the first of one becomes the bucket when a second comes
  auto left = updaters.size();
  for (auto* owner : updaters) {
    if (left <= kMost) break;
    const auto [bucket, first] = buckets.emplace(owner->apiVersion, owner);
    if (first) continue;
    bucket->second->manager = "ancient-changes";
    bucket->second->subresource.clear();
    bucket->second->fields = bucket->second->fields.unionWith(owner->fields);
    bucket->second->time = owner->time;
    owner->fields = FieldSet();
    --left;
  }
  std::erase_if(owners, [](const FieldOwner& owner) { return owner.fields.empty(); });
}

void writeOwners(json::object& object, const std::vector<FieldOwner>& owners) {
  json::array entries;
  for (const auto& owner : owners) {
    if (owner.fields.empty()) continue;
    json::object entry{{"manager", owner.manager},
                       {"operation", owner.operation},
                       {"apiVersion", owner.apiVersion},
                       {"fieldsType", "FieldsV1"},
                       {"fieldsV1", owner.fields.toFieldsV1()}};
    if (!owner.time.empty()) entry.emplace("time", owner.time);
    if (!owner.subresource.empty()) entry.emplace("subresource", owner.subresource);
    entries.push_back(std::move(entry));
  }
  auto& metadata = ensureObject(object, "metadata");
  if (entries.empty()) metadata.erase("managedFields");
  else metadata["managedFields"] = std::move(entries);
}

}  // namespace steer
