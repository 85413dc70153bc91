#pragma once
// Places in an object as steps, spelled as differences spell them: "spec", "[name=web]", "[]". Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/field_set.h"

namespace steer {

/// Reads "spec.replicas", "/spec/replicas", "a.b[name=x].c", "metadata.annotations['x.y/z']"; nothing
/// when it is none of these.
std::optional<std::vector<std::string>> parsePathPattern(std::string_view pattern);

/// "spec.template.spec.containers[name=web].image", as FieldChange::path.
std::string pathText(const std::vector<std::string>& steps);

/// Whether the place is named by the pattern or lies below it; "*" is any member, "[*]" any item.
bool covers(const std::vector<std::string>& pattern, const std::vector<std::string>& place);

/// One step of managedFields: "f:spec" → "spec", "k:{\"name\":\"web\"}" → "[name=web]", "v:\"x\"" → "[]".
std::string stepText(std::string_view step);

/// Every leaf of a field set, as texts.
std::vector<std::string> leafPaths(const FieldSet& fields);

}  // namespace steer
