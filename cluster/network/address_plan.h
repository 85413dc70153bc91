#pragma once
// AddressPlan: the address ranges and the names of links, namespaces and tables of one cluster
// whose nodes live on this machine. Several clusters live side by side because each has a plan of
// its own, derived from its data directory and recorded there. Thread rule: a plain value.
#include <span>
#include <string>
#include <string_view>

#include "cluster/network/cidr.h"
#include "core/json.h"
#include "core/result.h"

namespace steer {

struct AddressPlan {
  std::string tag;   ///< six hex digits, in every name that the cluster gives to the kernel
  Cidr nodeSubnet;   ///< /24: the nodes' own addresses; the machine itself is .254
  Cidr podCidr;      ///< /16: a /24 for each node
  Cidr serviceCidr;  ///< /16: ClusterIPs

  /// The plan that belongs to this seed (the absolute path of the data directory).
  static AddressPlan of(std::string_view seed);
  /// The first plan, starting with the seed's own, that shares no address with the ranges in use.
  static Result<AddressPlan> pickFree(std::string_view seed, std::span<const Cidr> inUse);
  bool overlaps(const Cidr& range) const;

  std::string hostAddress() const { return nodeSubnet.address(254); }
  /// Nodes are counted from 1 to maxNodes.
  static constexpr unsigned maxNodes = 253;
  std::string nodeAddress(unsigned node) const { return nodeSubnet.address(node); }

  std::string bridge() const { return "st" + tag + "br"; }
  std::string veth(unsigned node) const { return "st" + tag + "v" + std::to_string(node); }
  std::string netns(unsigned node) const { return "st" + tag + "-n" + std::to_string(node); }
  std::string table() const { return "steer_" + tag; }

  json::object toJson() const;
  static Result<AddressPlan> fromJson(const json::value& v);
  bool operator==(const AddressPlan&) const = default;
};

}  // namespace steer
