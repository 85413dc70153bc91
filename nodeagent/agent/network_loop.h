#pragma once
// NetworkLoop: keeps one network namespace's services, names and routes equal to what the cluster
// says. It watches, builds pure tables and applies them through doors when they changed: at once
// after a quiet time, at most every 20 ms under load. A door that fails is tried again with
// back-off; connections that exist are never touched. Thread rule: as Loop.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/client/informer.h"
#include "cluster/network/dns_table.h"
#include "cluster/network/nft_ruleset.h"
#include "core/loop.h"
#include "core/result.h"
#include "nodeagent/network/node_network.h"

namespace steer {

/// The effects; one that is not set is switched off.
struct NetworkDoors {
  std::function<Result<void>(const NftRuleset&)> applyRules;
  std::function<bool()> rulesIntact;
  std::function<Result<void>(const std::string& podCidr)> setUpPods;  ///< again whenever the range changes
  std::function<Result<void>(const std::vector<PeerRoute>&)> setPeers;
  std::function<Result<void>(std::shared_ptr<const DnsTable>)> setNames;
  /// Told once everything has been applied for the first time, and before that why it is not.
  std::function<void(bool ready, const std::string& message)> tellReady;
};

struct NetworkLoopOptions {
  std::string nodeName;  ///< empty = this namespace is no node (the machine under `steer up`)
  NftOptions rules;
  DnsOptions names;
};

class NetworkLoop final : public Loop {
 public:
  NetworkLoop(Client& client, NetworkLoopOptions options, NetworkDoors doors);
  ~NetworkLoop() override;

  std::string_view name() const override { return "network"; }
  Next step(Time now) override;
  /// Everything that was watched has been applied at least once.
  bool settled() const { return settled_; }

 private:
  /// One thing to keep applied.
  struct Duty {
    bool dirty = true;
    bool done = false;  ///< at least once
    unsigned failures = 0;
    Time retryAt{};
  };
  void noteChange(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after);
  void attempt(Duty& duty, std::string_view what, Time now, const std::function<Result<void>()>& apply);
  void applyAll(Time now);
  bool allDone() const;
  std::optional<Time> nextTime() const;
  std::string ownPodCidr() const;
  std::vector<PeerRoute> peers() const;

  NetworkLoopOptions options_;
  NetworkDoors doors_;
  std::unique_ptr<Informer> informer_;
  Duty rules_, pods_, peers_, names_;
  std::string podCidr_;  ///< what setUpPods was last asked for
  Time appliedAt_{};
  Time checkedAt_{};
  std::atomic<bool> settled_{false};
};

/// The doors of a node or of the machine, in the caller's network namespace.
struct NodeDoorsOptions {
  NodeNetworkOptions network;
  std::vector<std::string> dnsUpstreams;
};
/// Services, pod bridge, routes and DNS at the bridge's gateway address.
Result<NetworkDoors> openNodeDoors(NodeDoorsOptions options);
/// Services, and routes to the pods of all nodes inside clusterPodCidr (empty = no routes).
Result<NetworkDoors> openProxyDoors(const std::string& clusterPodCidr);

}  // namespace steer
