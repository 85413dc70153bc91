#pragma once
// What Kubernetes' admission adds to pods, besides defaulting. Pure, idempotent.
#include <string_view>

#include "core/json.h"

namespace steer {

/// "Guaranteed", "Burstable" or "BestEffort", from the containers' cpu and memory. Expects defaulted requests.
std::string_view qosClassOf(const json::object& pod);

/// Service account, priority, the tolerations of failing nodes for 300 s, status.phase and status.qosClass.
void applyPodAdmissionDefaults(json::object& pod);

}  // namespace steer
