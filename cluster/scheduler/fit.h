#pragma once
// Whether a node can take a pod, and why not. Pure.
// Source of the rules: Kubernetes documentation, "Assigning Pods to Nodes", "Taints and Tolerations".
#include <string>
#include <vector>

#include "cluster/scheduler/cluster_view.h"
#include "cluster/scheduler/pod_needs.h"

namespace steer {

/// A reason for refusal. Nodes refused for the same text are counted together.
struct Refusal {
  std::string one;   ///< "node is cordoned", or "Insufficient memory"
  std::string many;  ///< "nodes are cordoned"; equal to `one` where number does not show
  auto operator<=>(const Refusal&) const = default;
};

/// What does not change while pods are placed: names, labels, taints, cordon.
std::vector<Refusal> staticRefusals(const PodNeeds& needs, const NodeView& node);
/// What does: resources, pod count, host ports.
std::vector<Refusal> spaceRefusals(const PodNeeds& needs, const NodeView& node);
bool hasSpace(const PodNeeds& needs, const NodeView& node);

/// 0..100: how many of the preferred node affinity terms hold, by weight.
std::int64_t preferredAffinity(const Object& pod, const Object& node);
/// Taints PreferNoSchedule that the pod does not tolerate.
std::int64_t unwantedTaints(const Object& pod, const Object& node);

}  // namespace steer
