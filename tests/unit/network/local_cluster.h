#pragma once
// Two nodes with pods on a machine of their own, without any container runtime: a pod is a
// namespace on its node's bridge.
#include <catch2/catch.hpp>
#include <memory>

#include "nodeagent/network/local_nodes.h"
#include "nodeagent/network/node_network.h"
#include "nodeagent/network/service_proxy.h"
#include "tests/unit/network/netns.h"

namespace steer::test {

class LocalCluster {
 public:
  LocalCluster() {
    ownMachine();
    auto plan = recordedPlan(dir_.path());
    REQUIRE(plan.ok());
    local_ = std::make_unique<LocalNodes>(*plan);
    auto nodes = local_->up(2);
    INFO((nodes.ok() ? "" : nodes.error().message));
    REQUIRE(nodes.ok());
    nodes_ = *nodes;
    for (const auto& node : nodes_)
      inside(node.netns, [&] {
        NodeNetwork network(networkOptions(node.number));
        must(network.setUp(podCidr(node.number)));
        must(network.setPeers({{podCidr(3 - node.number), local_->node(3 - node.number).address}}));
      });
    NodeNetworkOptions host;
    host.clusterPodCidr = plan->podCidr.text();
    must(NodeNetwork(host).setPeers({{podCidr(1), nodes_[0].address}, {podCidr(2), nodes_[1].address}}));
  }
  ~LocalCluster() {
    for (const auto& pod : pods_) (void)IpTool().batch({"netns del " + pod});
    (void)local_->destroy();
  }

  NodeNetworkOptions networkOptions(unsigned node) const {
    const std::string at = dir_.path() + "/n" + std::to_string(node);
    return {"steer0", at + "/conf", at + "/ipam", plan().podCidr.text(), 1500};
  }
  const AddressPlan& plan() const { return local_->plan(); }
  LocalNodes& local() { return *local_; }
  std::string node(unsigned number) const { return nodes_.at(number - 1).netns; }
  std::string podCidr(unsigned node) const { return Cidr{plan().podCidr.base + (node << 8), 24}.text(); }
  std::string podIp(unsigned node, unsigned n) const { return ipv4Text(plan().podCidr.base + (node << 8) + n); }
  std::string serviceIp(unsigned n) const { return plan().serviceCidr.address(n); }

  /// The namespace of a new pod with address podIp(node, n).
  std::string addPod(unsigned node, unsigned n) {
    const std::string name = plan().netns(node) + "p" + std::to_string(n);
    const std::string veth = "p" + std::to_string(n);
    must(IpTool().batch({"netns add " + name}));
    pods_.push_back(name);
    const std::string path = "/run/netns/" + name;
    must(IpTool(this->node(node))
             .batch({"link add " + veth + " type veth peer name eth0 netns " + name,
                     "link set " + veth + " master steer0 up", "link set " + veth + " type bridge_slave hairpin on"}));
    must(IpTool(path).batch({"link set lo up", "link set eth0 up", "addr add " + podIp(node, n) + "/24 dev eth0",
                             "route add default via " + podIp(node, 1)}));
    return path;
  }
  static void must(const Result<void>& result) {
    INFO((result.ok() ? "" : result.error().message));
    REQUIRE(result.ok());
  }

  NftOptions nft() const {
    NftOptions o;
    o.table = plan().table();
    o.podCidr = plan().podCidr.text();
    o.serviceCidr = plan().serviceCidr.text();
    o.egressFrom = o.podCidr;
    o.egressExcept = {o.podCidr};
    return o;
  }
  /// A proxy in the namespace; "" = the machine.
  std::unique_ptr<ServiceProxy> proxy(const std::string& netns) {
    std::unique_ptr<ServiceProxy> out;
    inside(netns, [&] {
      auto opened = ServiceProxy::open();
      if (opened.ok()) out = std::move(*opened);
    });
    REQUIRE(out);
    return out;
  }

 private:
  TempDir dir_;
  std::unique_ptr<LocalNodes> local_;
  std::vector<LocalNode> nodes_;
  std::vector<std::string> pods_;
};

}  // namespace steer::test
