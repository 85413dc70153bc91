#pragma once
// Job (batch/v1): pods that run to completion, each counted exactly once. Pure.
// Every pod carries the finalizer batch.kubernetes.io/job-tracking. A finished pod is first named in
// status.uncountedTerminatedPods, then loses its finalizer, then moves into the counts: so a count
// survives the deletion of pods and a crash between any two writes.
// Source of the rules: Kubernetes documentation, "Jobs" and "Pod failure policy".
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeJobController();

}  // namespace steer
