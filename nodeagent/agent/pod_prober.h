#pragma once
// PodProber: runs the probes of one pod's containers and keeps what they add up to.
// Thread rule: the loop's thread; the probes themselves run on the executor.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "nodeagent/agent/job_board.h"
#include "nodeagent/agent/node_context.h"
#include "nodeagent/pod/pod_machine.h"
#include "nodeagent/pod/probes.h"

namespace steer {

class PodProber {
 public:
  PodProber(NodeContext& node, JobBoard& jobs) : node_(node), jobs_(jobs) {}

  /// Starts the probes that are due. `changed` is called on the loop when a verdict changed.
  std::optional<Time> step(const ObjectPtr& pod, const PodRuntimeState& runtime, const std::string& podIp,
                           std::map<std::string, ContainerFacts>& facts, Time now,
                           const std::function<void()>& changed);

 private:
  struct Key {
    std::string container;
    std::string containerId;
    ProbeKind kind = ProbeKind::readiness;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    ProbeRecord record;
    bool running = false;
  };
  struct Shared {
    std::map<Key, Entry> entries;
  };
  void launch(const ObjectPtr& pod, const json::object& container, const Key& key, const std::string& podIp,
              const std::function<void()>& changed);
  bool wanted(const Object& pod, const Key& key, const ContainerFacts& facts, const json::object& container) const;

  NodeContext& node_;
  JobBoard& jobs_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace steer
