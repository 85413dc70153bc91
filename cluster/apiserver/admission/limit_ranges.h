#pragma once
// LimitRanges of a namespace: what a container gets where it says nothing, and what is too little or too much.
// Source: Kubernetes documentation, "Limit Ranges". Pure.
#include <string>

#include "core/json.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace steer {

/// Fills in requests and limits of a new pod's containers.
void applyLimitDefaults(const Snapshot& view, const std::string& ns, json::object& pod);

/// Minimum, maximum and ratio of a pod's containers and of the pod. Errors: forbidden with all that is wrong.
Result<void> checkPodLimits(const Snapshot& view, const std::string& ns, const json::object& pod);
/// Minimum and maximum of what a claim asks for. Errors: forbidden.
Result<void> checkClaimLimits(const Snapshot& view, const std::string& ns, const json::object& claim);

}  // namespace steer
