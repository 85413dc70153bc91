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

/// What the rules of the kind say about an object with its defaults. What an update leaves as wrong as it was, is no
/// finding: an object that an older version took can still be changed and deleted. `before` null on create.
void checkValues(const KindSchema& kind, const json::object* before, const json::object& object,
                 std::vector<Cause>& causes);
/// What the rules say about the metadata alone.
void checkMetadataValues(const KindSchema& kind, const json::object& object, std::vector<Cause>& causes);
/// The same for the status alone.
Result<void> checkStatus(const KindSchema& kind, std::string_view name, const json::object& object);

}  // namespace steer
