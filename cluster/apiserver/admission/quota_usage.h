#pragma once
// What one object uses of a quota. Internal to the counting of quotas. Pure.
#include <map>
#include <set>
#include <string>

#include "core/json.h"
#include "core/quantity.h"

namespace steer::quota {

using Amounts = std::map<std::string, Quantity>;

/// spec.hard.
Amounts hardOf(const json::object& quota);
/// The resources (pods, services, deployments.apps, …) whose objects these names count.
std::set<std::string> resourcesCounted(const Amounts& hard);
/// By the names of quotas: count/pods, requests.cpu, services.nodeports, …
Amounts chargeOf(const std::string& resource, const json::object& object);
/// Whether the object is one of those that the quota is about.
bool inScope(const json::object& quota, const std::string& resource, const json::object& object);
/// "limits.cpu for: a,b; requests.memory for: c": what the quota counts and a pod's containers do not say; else empty.
std::string unsaid(const Amounts& hard, const json::object& pod);

}  // namespace steer::quota
