#pragma once
// What the machine is and has, read from /proc and friends. Cheap; blocks only on local files.
#include <cstdint>
#include <string>

#include "core/json.h"
#include "nodeagent/agent/agent_options.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

struct MachineFacts {
  json::object capacity;     ///< cpu, memory, ephemeral-storage, pods
  json::object allocatable;  ///< what pods may use of it
  json::object nodeInfo;     ///< without the runtime's version
  std::int64_t memoryBytes = 0;
  DnsConfig resolver;
};

/// With the overrides of the options.
MachineFacts machineFacts(const AgentOptions& options);

struct MachinePressure {
  bool memory = false;
  bool disk = false;
};
MachinePressure machinePressure(const std::string& rootDir);

}  // namespace steer
