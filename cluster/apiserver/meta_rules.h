#pragma once
// Rules of ObjectMeta that hold for every kind. Pure.
#include <string_view>
#include <vector>

#include "cluster/apiserver/kind_strategy.h"
#include "core/json.h"

namespace steer {

/// Findings about name, labels, annotations and finalizers.
void validateMetadata(const json::object& object, NameRule rule, std::vector<Cause>& causes);
/// "" when the text obeys the rule, or what is wrong with it.
std::string_view nameProblem(std::string_view name, NameRule rule);
/// "" or what is wrong with a label value / a qualified key such as "example.com/role".
std::string_view labelValueProblem(std::string_view value);
std::string_view qualifiedKeyProblem(std::string_view key);
void validateLabels(const json::object& labels, const std::string& path, std::vector<Cause>& causes);

}  // namespace steer
