#pragma once
// LocalNodes: the network of a cluster whose nodes are network namespaces of this machine: a
// bridge, a namespace and a link for each node, addresses and routes (those to pods come from Node
// objects, see NodeNetwork). What it makes is named after
// the cluster's address plan, which is recorded in the data directory, so a later run finds and
// adopts it, and destroy() removes exactly that. Thread rule: one owner.
// Failure rule: a failed step is safe to repeat.
#include <string>
#include <vector>

#include "cluster/network/address_plan.h"
#include "core/result.h"

namespace steer {

/// The address plan in DIR/cluster.json; a new one, free of clashes with this machine's networks, is
/// chosen and recorded when there is none.
Result<AddressPlan> recordedPlan(const std::string& dataDir);

struct LocalNode {
  unsigned number = 0;  ///< from 1
  std::string netns;    ///< path, for ChildSpec::netns
  std::string address;  ///< InternalIP
};

class LocalNodes {
 public:
  explicit LocalNodes(AddressPlan plan) : plan_(std::move(plan)) {}

  /// Makes (or adopts) the bridge and nodes 1…count, and removes nodes above that.
  Result<std::vector<LocalNode>> up(unsigned count);
  /// Removes links, namespaces, routes and the nftables tables of this plan. Processes that still live
  /// in a namespace lose their network at once.
  Result<void> destroy();
  LocalNode node(unsigned number) const;
  const AddressPlan& plan() const { return plan_; }

 private:
  Result<void> makeBridge();
  Result<void> makeNode(unsigned number);
  Result<void> removeNode(unsigned number);
  std::vector<unsigned> existingNodes() const;

  AddressPlan plan_;
};

}  // namespace steer
