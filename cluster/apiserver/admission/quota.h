#pragma once
// ResourceQuotas: what a namespace uses, and whether a write would make it use more than it may. The count is part of
// the transaction that changes what is counted, so two writers cannot both have the last of it.
// Source: Kubernetes documentation, "Resource Quotas". Pure.
#include <string>
#include <vector>

#include "cluster/store/store.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace steer {

/// What a transaction of `mutations` adds to itself: quotas with their new counts. Errors: forbidden when it would use
/// more than a quota allows, or a pod does not say what a quota counts.
Result<std::vector<Mutation>> countQuotas(const Snapshot& view, const std::vector<Mutation>& mutations);

}  // namespace steer
