#pragma once
// Validation of one object: structure (unknown fields, wrong types, missing required fields, bad enums
// and formats) and meaning (names, and the rules of each kind in rules/). Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

struct Finding {
  enum class Kind {
    unknownField,
    wrongType,
    required,
    badValue,
    unsupportedValue,
    duplicate,
    tooLong,
    forbidden,
    notFound,
    tooMany
  };
  Kind kind = Kind::badValue;
  std::string pointer;  ///< JSON pointer, "/spec/replicas"
  std::string path;     ///< as Kubernetes writes it, "spec.containers[0].image"
  std::string message;
  std::string hint;  ///< "did you mean \"replicas\"?"; may be empty
};

/// The cause that a metav1.Status carries for a finding: FieldValueRequired, FieldValueInvalid, …
std::string_view causeReason(Finding::Kind kind);

enum class UnknownFields { report, ignore };

/// All findings, in document order. Never quotes values of Secrets.
std::vector<Finding> validateStructure(const KindSchema& kind, const json::object& object,
                                       UnknownFields unknown = UnknownFields::report);

/// What of the structure speaks against decoding: for kinds whose rules are whole only unknown fields and wrong types,
/// because what is required is known after defaulting.
std::vector<Finding> validateShape(const KindSchema& kind, const json::object& object,
                                   UnknownFields unknown = UnknownFields::report);

/// Some rules hold for new objects only.
enum class Occasion { create, update };

/// Names, labels and annotations, and the rules of the kind: ports in range, mounts that name a volume,
/// selectors that match their template, … Reads around what has a wrong type. Expects defaults (applyDefaults), without
/// which fields are missing that nobody has to write.
std::vector<Finding> validateSemantics(const KindSchema& kind, const json::object& object,
                                       Occasion occasion = Occasion::create);

/// What is wrong with the object as a client sent it: fields that the schema does not know and values of wrong types;
/// then, as it would stand after defaulting, what validateSemantics says. In document order, one finding per place
/// and message.
std::vector<Finding> validateObject(const KindSchema& kind, const json::object& object,
                                    UnknownFields unknown = UnknownFields::report);

/// Removes fields the schema does not know (fieldValidation=Ignore/Warn); returns their paths.
std::vector<std::string> pruneUnknownFields(const KindSchema& kind, json::object& object);

/// The name nearest to `word` by edit distance, empty when none is near enough.
std::string nearestName(std::string_view word, const std::vector<std::string>& names);

}  // namespace steer
