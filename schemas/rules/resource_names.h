#pragma once
// Names and amounts of resources, as quotas, limits, nodes and pods share them. Pure.
#include <string_view>

#include "core/json.h"
#include "schemas/rules.h"

namespace steer {

/// One of Kubernetes' own: without a domain, or in its domain.
bool isNativeResource(std::string_view name);
/// A device of somebody's: "nvidia.com/gpu".
bool isExtendedResource(std::string_view name);
/// A number of objects, in quotas.
bool isCountedResource(std::string_view name);
bool isStandardResource(std::string_view name);
/// A qualified name; without a domain a known one.
void checkResourceName(const FieldPath& at, std::string_view name, RuleReport& report);
/// Not negative, and whole where the resource comes in pieces.
void checkResourceAmount(const FieldPath& at, std::string_view name, const json::value& value, RuleReport& report);

}  // namespace steer
