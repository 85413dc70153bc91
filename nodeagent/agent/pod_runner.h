#pragma once
// PodRunner: carries out one action of the pod machine. Blocks; runs on the executor.
// Thread rule: thread-safe. Failure rule: a failed action answers a Setback; it is never thrown away
// silently, the machine sees the runtime's state next time.
#include <map>
#include <optional>
#include <string>

#include "nodeagent/agent/node_context.h"
#include "nodeagent/pod/pod_machine.h"

namespace steer {

struct PulledImage {
  std::string ref;
  std::optional<ImageInfo> info;
};

struct ActionOutcome {
  std::optional<Setback> setback{};  ///< without time and count
  std::optional<PulledImage> image{};
};

/// What the worker knows when it hands out the action.
struct ActionSurroundings {
  std::string podIp;
  std::uint32_t sandboxAttempt = 0;
  std::optional<PulledImage> image;
};

class PodRunner {
 public:
  explicit PodRunner(NodeContext& node) : node_(node) {}

  ActionOutcome perform(const Object& pod, const PodAction& action, const ActionSurroundings& around);
  /// The runtime's state of a pod, with the last words of ended containers.
  Result<PodRuntimeState> observe(const std::string& podUid);

 private:
  ActionOutcome setUpVolumes(const Object& pod);
  ActionOutcome runSandbox(const Object& pod, const PodAction& action);
  ActionOutcome pullImage(const Object& pod, const PodAction& action);
  Result<PulledImage> pullWithCredentials(const Object& pod, const std::string& container, const std::string& image);
  ActionOutcome startContainer(const Object& pod, const PodAction& action, const ActionSurroundings& around);
  Result<ContainerConfig> containerConfig(const Object& pod, const PodAction& action, const ActionSurroundings& around);
  ActionOutcome stopContainer(const Object& pod, const PodAction& action, const ActionSurroundings& around);
  /// Runs a postStart or preStop hook; the message of its failure.
  std::optional<std::string> runHook(const json::object& hook, const json::object& container, const std::string& id,
                                     const std::string& podIp, Duration timeout);
  ActionOutcome removeContainer(const Object& pod, const PodAction& action);
  ActionOutcome release(const Object& pod, bool everything);
  void note(const Object& pod, const char* type, const char* reason, std::string message, std::string container = "");

  NodeContext& node_;
};

}  // namespace steer
