#pragma once
// Whether a saved plan still is what would happen. It is compared with a plan made now from the same
// source: what differs in the objects that the saved plan changes makes it stale; everything else in
// the cluster may have moved. Pure.
#include <string>
#include <vector>

#include "reconciler/plan/plan_file.h"

namespace steer {

/// What the source says otherwise than it did: "ConfigMap shop/settings was added". Empty = the same.
std::vector<std::string> sourceMoves(const SavedPlan& saved, const std::vector<WantedObject>& source);

/// What moved in the cluster: "Deployment shop/web: spec.replicas was 2, is 5". Empty = not stale.
std::vector<std::string> liveMoves(const SavedPlan& saved, const PlanSet& now);

/// Only what the saved plan does, in the order of `now`.
PlanSet asSaved(const SavedPlan& saved, PlanSet now);

}  // namespace steer
