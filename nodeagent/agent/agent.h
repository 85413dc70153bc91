#pragma once
// Agent: one node. Registers it, renews its lease, runs the pods bound to it, reports their status.
// A loop: step() decides and never blocks; slow calls run on the executor and wake it. In the
// simulator the executor is inline and time is virtual.
// Failure rule: whatever fails is tried again with back-off. Nothing is stopped before the pods of
// this node have been read once from the API server: a vanished server leaves everything running.
// Destroying the agent leaves containers running; a new one adopts them.
#include <memory>

#include "cluster/client/client.h"
#include "core/executor.h"
#include "core/loop.h"
#include "nodeagent/agent/agent_options.h"
#include "nodeagent/runtime/pod_runtime.h"

namespace steer {

class Agent final : public Loop {
 public:
  /// client, runtime, executor and clock must outlive the agent. The executor should have at least
  /// four threads (a container that is stopping holds one for its grace period).
  Agent(AgentOptions options, Client& client, PodRuntime& runtime, Executor& executor, const Clock& clock);
  ~Agent() override;  ///< waits for calls under way; stops no container

  std::string_view name() const override { return "agent"; }
  Next step(Time now) override;

  /// The node is registered and reports Ready.
  bool ready() const;
  /// spec.podCIDR of the node, empty until assigned. For who builds the pod network.
  std::string podCidr() const;
  /// The pod network is there (or not): the node becomes Ready (or NotReady with the message), and pods may
  /// start. Starts as not ready unless the options say simulated. Thread-safe.
  void setNetworkReady(bool ready, std::string message = "");
  /// Port of the log server; 0 before it listens.
  int serverPort() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace steer
