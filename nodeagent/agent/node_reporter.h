#pragma once
// The Node object and its Lease as values: what to write so that the cluster knows this node. Pure.
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/object.h"
#include "core/write.h"
#include "nodeagent/agent/agent_options.h"
#include "nodeagent/agent/machine_facts.h"

namespace steer {

inline constexpr const char* kLeaseNamespace = "kube-node-lease";

struct NodeReport {
  bool runtimeReady = false;
  std::string runtimeMessage;
  std::string runtimeVersion;  ///< "containerd://1.6.20"
  bool networkReady = false;
  std::string networkMessage;
  MachinePressure pressure;
  std::string faults;     ///< what barriers of this process hold back now; empty = nothing
  std::string lastFault;  ///< the newest of all; empty = there was none
  int serverPort = 0;

  bool ready() const { return runtimeReady && networkReady; }
};

/// The Node to register, without status.
json::object nodeObjectOf(const AgentOptions& options);
/// status as it should be; conditions keep their transition times from `node` (may be null).
json::object nodeStatusOf(const AgentOptions& options, const MachineFacts& facts, const NodeReport& report,
                          const Object* node, Time now);
/// What differs from the Node's status, beside the heart-beat; nothing = only the heart-beat would change.
bool nodeStatusDiffers(const json::object& wanted, const json::object& current);
/// Labels and annotations the node lacks.
std::optional<Write> nodeMetadataWrite(const AgentOptions& options, const Object& node);

Write leaseRenewal(const std::string& nodeName, Time now);
Write leaseCreation(const std::string& nodeName, const std::string& nodeUid, Time now);

}  // namespace steer
