#include "schemas/ownership_proof.h"

#include <algorithm>

namespace steer {

std::string provenOwner(const json::object& object) {
  const auto label = stringAt(object, {"metadata", "labels", kOwnerLabel});
  if (label.empty()) return "";
  const std::string step = std::string("f:") + kOwnerLabel;
  const auto& entries = arrayAt(object, {"metadata", "managedFields"});
  const bool proven = std::any_of(entries.begin(), entries.end(), [&](const json::value& entry) {
    return stringAt(entry, {"manager"}) == kReconcilerManager && stringAt(entry, {"operation"}) == "Apply" &&
           stringAt(entry, {"subresource"}).empty() &&
           objectAt(entry, {"fieldsV1", "f:metadata", "f:labels"}).contains(step);
  });
  return proven ? std::string(label) : "";
}

json::object proofFields() {
  return {{"f:metadata", json::object{{"f:labels", json::object{{std::string("f:") + kOwnerLabel, json::object{}}}}}}};
}

}  // namespace steer
