#pragma once
// From a client's JSON to an object of a kind: identity filled in, unknown fields handled as
// fieldValidation says, structure checked. Pure.
#include <string>
#include <vector>

#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/write_planner.h"
#include "core/json.h"
#include "schemas/schema.h"
#include "schemas/validate.h"

namespace steer {

/// Fills apiVersion and kind, or refuses others than the URL's.
Result<void> settleKind(const KindSchema& kind, json::object& object);

/// Unknown fields: refused (strict), dropped with warnings, or dropped. Values of wrong types are
/// refused. Returns whether findings remain that defaulting may heal.
Result<bool> checkShape(const KindSchema& kind, json::object& object, FieldValidation validation,
                        std::vector<std::string>& warnings);

/// Findings of the schema that are left after defaulting.
void checkValues(const KindSchema& kind, const json::object& object, std::vector<Cause>& causes);
/// The same for the status alone.
Result<void> checkStatus(const KindSchema& kind, std::string_view name, const json::object& object);

}  // namespace steer
