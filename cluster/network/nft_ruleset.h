#pragma once
// NftRuleset: a ServiceTable as nftables content. The rules are fixed and look everything up in
// maps, so a change of endpoints is a change of map elements: the cost of a change does not grow
// with the cluster, and no packet meets half a ruleset. Thread rule: an immutable value.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/network/service_table.h"

namespace steer {

struct NftOptions {
  std::string table = "steer";            ///< one per cluster and network namespace
  std::string podCidr;                    ///< of the whole cluster: sources inside keep their address
  std::string serviceCidr;                ///< addresses inside without a service are refused; empty = no such rule
  std::string egressFrom;                 ///< sources that are masqueraded when they leave …
  std::vector<std::string> egressExcept;  ///< … for anything but these ranges; egressFrom empty = off
  std::uint32_t masqueradeMark = 0x4000;  ///< one bit of the packet mark
  bool operator==(const NftOptions&) const = default;
};

class NftRuleset {
 public:
  /// element key → value ("" in sets).
  using Elements = std::map<std::string, std::string>;

  NftRuleset(const ServiceTable& services, NftOptions options);

  /// One transaction that replaces whatever the table held.
  std::string fullText() const;
  /// One transaction that replaces all elements of a table whose chains include ownChains(): hooks and rules stay in
  /// place, and so does what the kernel remembers of clients with affinity.
  std::string reloadText() const;
  /// Chains that tell whether a table was made by the same rules: one is named after them, the others may be missing.
  std::vector<std::string> ownChains() const;
  /// One transaction with the least element changes; "" when nothing differs. Ask sameRules first.
  static std::string diffCommands(const NftRuleset& before, const NftRuleset& after);
  /// The rules that stand suffice, so a difference of elements is enough. (Almost always: only a new
  /// affinity time needs a rule of its own.)
  static bool sameRules(const NftRuleset& before, const NftRuleset& after);
  /// Chains that nothing goes to any more stay until the next full load.
  void keepChains(const NftRuleset& before) { chains_.insert(before.chains_.begin(), before.chains_.end()); }

  const std::string& table() const { return options_.table; }
  const Elements& elements(const std::string& set) const;

  /// A remembered answer of the kernel that points to an endpoint which no longer exists.
  struct Stale {
    Protocol protocol = Protocol::tcp;
    std::string address;  ///< the service's; empty for node ports
    std::uint16_t port = 0;
    Endpoint endpoint;
    std::uint32_t affinityMark = 0;  ///< 0 = the service has no session affinity
    auto operator<=>(const Stale&) const = default;
  };
  /// Endpoints that left a UDP service (connection tracking remembers them) or one with session
  /// affinity (the affinity map does).
  static std::vector<Stale> staleAfter(const NftRuleset& before, const NftRuleset& after);

 private:
  struct Front;
  void addFront(const Front& front, const ServicePort& port, const std::vector<Endpoint>& endpoints, bool local);
  std::uint32_t affinityMark(const ServicePort& port);
  std::string fixedRules() const;
  std::string addChains() const;
  std::string addElements() const;
  static std::vector<std::string> chainRules(const std::string& name);

  NftOptions options_;
  std::map<std::string, Elements> sets_;
  std::set<std::string> chains_;  ///< lbN, nlbN, affN that elements go to
  std::map<std::uint32_t, std::string> marks_;
  std::set<Stale> facts_;
};

}  // namespace steer
