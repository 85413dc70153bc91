#pragma once
// Classes that a new pod names: its priority class and its runtime class. Source: Kubernetes documentation, "Pod
// Priority and Preemption", "Runtime Class", "Pod Overhead". Pure.
#include "core/json.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace steer {

/// Writes spec.priority and spec.preemptionPolicy as the class says; without a class, the one that is the default of
/// the cluster counts. Errors: forbidden when there is no such class, or the pod says another number by itself.
Result<void> resolvePriority(const Snapshot& view, json::object& pod);

/// Writes spec.overhead and what the class says about scheduling. Errors: forbidden when there is no such class, when
/// no node has its handler, or the pod says something else by itself.
Result<void> resolveRuntimeClass(const Snapshot& view, json::object& pod);

}  // namespace steer
