#pragma once
// LocalCluster: the nodes of `steer up`: real ones in network namespaces of this machine, or
// simulated ones in this process. Thread rule: one owner.
// Failure rule: whatever a killed run left behind is adopted by the next prepare().
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/cluster/cluster_facts.h"
#include "cli/cluster/control_plane.h"
#include "cli/cluster/runtime_choice.h"

namespace steer::cli {

struct LocalClusterOptions {
  DataDir dataDir;
  unsigned nodes = 1;
  RuntimeKind runtime = RuntimeKind::sim;
  std::vector<std::pair<std::string, std::string>> capacity{};  ///< simulated nodes only
  std::string images{};                                         ///< directory of OCI archives; empty = none
};

class LocalCluster {
 public:
  /// Makes the nodes' networks and fills in where the control plane must listen and which ranges it uses.
  static Result<std::unique_ptr<LocalCluster>> prepare(LocalClusterOptions options, ControlPlaneOptions& plane);
  ~LocalCluster();

  ClusterFacts facts() const;
  Result<void> startNodes(ControlPlane& plane, const Clock& clock);
  /// Stops pods, runtimes and agents and removes the networks.
  void stop();

 private:
  struct State;
  explicit LocalCluster(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer::cli
