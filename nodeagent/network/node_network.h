#pragma once
// NodeNetwork: what one node's pods need in the network namespace this process runs in: the pod
// bridge, the CNI configuration for the container runtime, and routes to the other nodes' pods.
// Thread rule: one owner. Failure rule: a failed step is safe to repeat.
#include <string>
#include <vector>

#include "core/result.h"

namespace steer {

/// Another node's pods, and the way to them.
struct PeerRoute {
  std::string podCidr;
  std::string via;  ///< the node's InternalIP
  auto operator<=>(const PeerRoute&) const = default;
};

struct NodeNetworkOptions {
  std::string bridge = "steer0";
  std::string cniConfDir;      ///< read by the container runtime
  std::string cniStateDir;     ///< addresses given to pods
  std::string clusterPodCidr;  ///< unknown addresses inside it are unreachable; empty = no such route
  unsigned mtu = 1500;
};

class NodeNetwork {
 public:
  explicit NodeNetwork(NodeNetworkOptions options) : options_(std::move(options)) {}

  /// Bridge with the range's first address, CNI configuration, forwarding.
  Result<void> setUp(const std::string& podCidr);
  /// Routes to exactly these peers; others inside clusterPodCidr that an earlier run made are removed.
  /// Also without setUp: the machine under local nodes reaches their pods so.
  Result<void> setPeers(const std::vector<PeerRoute>& peers);
  /// Where pods of this range find their gateway and their DNS server.
  static std::string gatewayOf(const std::string& podCidr);

 private:
  Result<void> writeCniConf(const std::string& podCidr) const;
  NodeNetworkOptions options_;
};

}  // namespace steer
