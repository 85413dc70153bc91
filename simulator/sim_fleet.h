#pragma once
// SimFleet: any number of simulated nodes as one steppable loop over the public API. It registers
// nodes, renews their leases and walks their pods through Pending, Running, Ready and the end, with
// delays and failures from pod annotations. Light enough for thousands of nodes in one process.
// Thread rule: one driver steps it; the fault switches may be called between steps only. nodeagent/pod/sim_wishes.h
// names the annotations.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/client/informer.h"
#include "core/loop.h"
#include "simulator/sim_pod.h"

namespace steer {

struct FleetOptions {
  std::size_t nodes = 2;
  std::string namePrefix = "node-";  ///< node-1, node-2, …
  std::vector<std::pair<std::string, std::string>> capacity{{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "110"}};
  Duration startDelay = milliseconds(50);
  Duration leaseEvery = seconds(10);
  /// Nodes that are registered already, by name, instead of new ones: their pods go on as they are, and
  /// no lease is renewed.
  std::vector<std::string> adopt{};
  /// How long pods run that are meant to end (restartPolicy Never and OnFailure, so those of jobs and hooks) where
  /// their annotations do not say; they end well. Nothing = they run on.
  std::optional<Duration> endAfter = seconds(1);
  /// Delays of one pod; null = startDelay, ready at once and endAfter.
  std::function<SimPodLife::Delays(const Object& pod)> delaysOf{};
  std::map<std::string, std::string> labels{};  ///< on every node
};

class SimFleet final : public Loop {
 public:
  SimFleet(Client& client, FleetOptions options);
  ~SimFleet() override;

  std::string_view name() const override { return "simulated-nodes"; }
  Next step(Time now) override;

  std::vector<std::string> nodeNames() const;
  /// All its containers are gone and nothing is reported until revive().
  void crashNode(const std::string& node);
  void reviveNode(const std::string& node);
  /// Its containers go on, but it can neither read nor write.
  void partitionNode(const std::string& node);
  void healNode(const std::string& node);
  /// Containers that run now on this node (whatever the API server believes).
  std::size_t runningOn(const std::string& node) const;

 private:
  struct SimPod;
  enum class NodeState { up, crashed, partitioned };
  struct SimNode {
    std::string name;
    NodeState state = NodeState::up;
    bool registered = false;
    Time leaseDue{};
    std::uint32_t nextIp = 0;
    std::set<std::uint32_t> freeIps;
    bool adopted = false;
  };

  void registerNodes(Time now);
  void renewLeases(Time now);
  void takeIn(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void walk(SimPod& pod, Time now);
  void forget(const std::string& uid);
  void report(SimPod& pod, Time now);
  void finishDeletion(SimPod& pod);
  void endContainers(SimPod& pod);
  void flush(Time now);
  SimNode* nodeOf(const std::string& name);
  std::string allocateIp(SimNode& node);
  static void noteIp(SimNode& node, const std::string& ip);
  bool reachable(const SimPod& pod);

  Client& client_;
  FleetOptions options_;
  std::unique_ptr<Informer> informer_;
  std::vector<SimNode> nodes_;
  std::map<std::string, std::size_t, std::less<>> nodeIndex_;
  std::map<std::string, std::unique_ptr<SimPod>, std::less<>> pods_;  ///< by uid
  std::set<std::pair<Time, std::string>> timers_;                     ///< due time, pod uid
  std::vector<Write> outbox_;
  std::optional<Time> retryAt_;
};

}  // namespace steer
