#pragma once
// Preemption: which pods of lower priority make room for one that fits nowhere. Pure and deterministic.
// Source of the rules: Kubernetes documentation, "Pod Priority and Preemption". There are no disruption budgets here.
#include <optional>
#include <string>
#include <vector>

#include "cluster/scheduler/cluster_view.h"

namespace steer {

struct Preemption {
  std::string node;
  std::vector<ObjectPtr> victims;
};

/// Nothing: its policy is Never, room that it made is still being given back on its nominated node, or no node would
/// have it without its pods of lower priority. `bound`: the pods that hold a place. The view stays as it is.
std::optional<Preemption> preempt(ClusterView& view, const ObjectPtr& pod, const std::vector<ObjectPtr>& bound);

}  // namespace steer
