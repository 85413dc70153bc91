#pragma once
// The difference of two objects, field by field, as a person reads it. Lists are matched by the
// keys their schema names (containers[name=web]), so an insertion is one addition and not a cascade.
// Values of Secrets and passwords in addresses are masked: that something changes is shown, what it is never. Pure.
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

struct FieldChange {
  enum class Kind { add, remove, change };
  Kind kind = Kind::change;
  std::string path;                     ///< "spec.template.spec.containers[name=web].image"
  std::optional<json::value> before{};  ///< nothing for add; masked when sensitive
  std::optional<json::value> after{};   ///< nothing for remove; masked when sensitive
  bool sensitive = false;

  bool operator==(const FieldChange&) const = default;
};

struct DiffOptions {
  bool includeStatus = false;
  /// revealed: for comparing and hashing only; the result must reach no output.
  enum class Secrets { masked, revealed } secrets = Secrets::masked;
};

/// Changes in document order of `after`, removals where they stood. kind may be null (no schema:
/// lists compare by position). What the server maintains (managedFields, resourceVersion, uid,
/// generation, creationTimestamp, selfLink) is not compared.
std::vector<FieldChange> diffObjects(const KindSchema* kind, const json::object& before, const json::object& after,
                                     const DiffOptions& options = {});

/// Shown instead of a secret's values.
inline constexpr const char* kMasked = "(sensitive)";

}  // namespace steer
