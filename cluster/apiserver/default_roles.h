#pragma once
// The roles and bindings that every cluster has. Source: Kubernetes documentation, "Using RBAC Authorization",
// "Default roles and role bindings". Pure.
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"

namespace steer {

/// (resource, object), in the order in which they are made.
std::vector<std::pair<std::string, json::object>> defaultRoles();

}  // namespace steer
