#pragma once
// LocalAgents: one `steer agent` process for each local node, in the node's network namespace, kept
// running. Thread rule: one owner; a thread of its own watches the processes.
// Failure rule: an agent that ends is started again with back-off; its containers go on meanwhile.
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace steer::cli {

struct LocalAgentSpec {
  std::string nodeName;
  std::string netns;                   ///< path of the namespace
  std::vector<std::string> arguments;  ///< of `steer agent`
  std::string logFile;
};

class LocalAgents {
 public:
  /// Agents that an earlier run left behind are ended first; their containers stay.
  static Result<std::unique_ptr<LocalAgents>> start(std::vector<LocalAgentSpec> specs, const std::string& pidDir);
  /// Ends the agents without touching pods.
  ~LocalAgents();
  /// Ends the agents and asks them to stop their pods and container runtimes first.
  void stopWithPods(Duration atMost);

 private:
  struct State;
  explicit LocalAgents(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer::cli
