#pragma once
// metadata.managedFields as values: who set which fields, by which operation. Thread rule: plain values.
#include <string>
#include <vector>

#include "core/json.h"
#include "schemas/field_set.h"

namespace steer {

struct FieldOwner {
  std::string manager;
  std::string operation;  ///< "Apply" or "Update"
  std::string subresource;
  std::string apiVersion;
  std::string time;
  FieldSet fields;

  /// `"kubectl-edit" using apps/v1 at 2026-01-02T15:04:05Z`, as kubectl's users see it in conflicts.
  std::string text() const;
};

/// Entries of metadata.managedFields; malformed ones are left out.
std::vector<FieldOwner> readOwners(const json::object& object);
/// At most ten owners by update: the oldest are united in one by the name of ancient-changes, for each version one, as
/// Kubernetes' servers do. Else every name that ever changed something would stay on the object.
void capUpdaters(std::vector<FieldOwner>& owners);
/// Writes them; owners without fields are left out, and no owner at all removes the member.
void writeOwners(json::object& object, const std::vector<FieldOwner>& owners);

}  // namespace steer
