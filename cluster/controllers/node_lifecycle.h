#pragma once
// Nodes: missed leases, taints that follow conditions, eviction after tolerationSeconds, pod address
// ranges. Pure. Source of the rules: Kubernetes documentation, "Nodes" and "Taints and Tolerations".
#include <memory>
#include <string>

#include "core/controller.h"

namespace steer {

struct NodeRules {
  Duration grace = seconds(40);  ///< without a sign of life, until a node is called Unknown
  /// Signs of life before this are not missed: nobody could be heard while the control plane was away.
  Time listeningSince{};
};

/// Ready Unknown after missed leases; taints; pods of unreachable nodes become not ready.
std::unique_ptr<Controller> makeNodeLifecycleController(NodeRules rules);
/// Deletes pods that do not tolerate a NoExecute taint of their node (any longer).
std::unique_ptr<Controller> makeTaintEvictionController();
/// Gives each node a range of podCidr, e.g. "10.244.0.0/16" in parts of /24.
std::unique_ptr<Controller> makeNodeIpamController(std::string podCidr, int nodePrefix);

}  // namespace steer
