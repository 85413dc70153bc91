#pragma once
// Structural validation: unknown fields, wrong types, missing required fields, bad enums and
// formats. Pure.
#include <string>
#include <vector>

#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

struct Finding {
  enum class Kind { unknownField, wrongType, required, badValue, unsupportedValue };
  Kind kind = Kind::badValue;
  std::string pointer;  ///< JSON pointer, "/spec/replicas"
  std::string path;     ///< as Kubernetes writes it, "spec.containers[0].image"
  std::string message;
  std::string hint;  ///< "did you mean \"replicas\"?"; may be empty
};

enum class UnknownFields { report, ignore };

/// All findings, in document order. Never quotes values of Secrets.
std::vector<Finding> validateStructure(const KindSchema& kind, const json::object& object,
                                       UnknownFields unknown = UnknownFields::report);

/// Removes fields the schema does not know (fieldValidation=Ignore/Warn); returns their paths.
std::vector<std::string> pruneUnknownFields(const KindSchema& kind, json::object& object);

/// The name nearest to `word` by edit distance, empty when none is near enough.
std::string nearestName(std::string_view word, const std::vector<std::string>& names);

}  // namespace steer
