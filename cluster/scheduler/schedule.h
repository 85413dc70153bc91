#pragma once
// schedule: which node each pod goes to, or why none will have it. Deterministic: equal views and
// pods give equal placements, ties are broken by a number drawn
// from what the pod is a replica of, so that the same holds of a copy of the cluster.
#include <string>
#include <vector>

#include "cluster/scheduler/cluster_view.h"
#include "cluster/scheduler/pod_needs.h"

namespace steer {

struct Placement {
  ObjectPtr pod;
  std::string node;     ///< empty = nowhere
  std::string reason;   ///< why nowhere: "Unschedulable" or "SchedulingGated"
  std::string message;  ///< "0/3 nodes are available: 2 Insufficient memory, 1 node is cordoned."
};

/// Places pods by priority, then age. Each placement is recorded in the view at once, so that the
/// next pod sees it. Pods that ask alike are placed together: the nodes are looked at once per
/// kind of pod, not once per pod.
std::vector<Placement> schedule(ClusterView& view, const std::vector<ObjectPtr>& pods);

}  // namespace steer
