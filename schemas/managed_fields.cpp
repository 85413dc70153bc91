#include "schemas/managed_fields.h"

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
