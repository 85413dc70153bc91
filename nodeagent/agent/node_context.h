#pragma once
// What everything that works for pods on one node shares. Lives as long as the agent.
#include <atomic>

#include "core/clock.h"
#include "core/sync.h"
#include "nodeagent/agent/agent_options.h"
#include "nodeagent/agent/event_recorder.h"
#include "nodeagent/agent/references.h"
#include "nodeagent/pod/sandbox_config.h"
#include "nodeagent/runtime/cgroups.h"
#include "nodeagent/runtime/pod_runtime.h"
#include "nodeagent/volumes/pod_volumes.h"

namespace steer {

struct NodeContext {
  const AgentOptions& options;
  PodRuntime& runtime;
  References& references;
  PodVolumes& volumes;
  PodEventRecorder& events;
  const Clock& clock;
  json::object allocatable;
  std::int64_t memoryCapacity = 0;
  DnsConfig nodeResolver;
  Cgroups cgroups;
  std::atomic<bool> networkReady{false};
  Sync<std::string> dnsAddress{};  ///< empty = the node's resolver
};

/// Where all logs lie; log_files.h says how.
std::string logRoot(const AgentOptions& options);
std::string logDirectoryOf(const Object& pod, const AgentOptions& options);
/// "/steer/CLUSTER/NODE"; pods stand below it, see pod/pod_cgroup.h.
std::string nodeCgroup(const AgentOptions& options);
/// What the pod's volumes and environment refer to, with what the node itself knows.
Result<PodReferences> referencesOf(const Object& pod, NodeContext& node);
/// "10.244.1.0/24" → "10.244.1.1"; empty when it is not an IPv4 range.
std::string firstAddressOf(const std::string& cidr);
PodSetting podSettingOf(const Object& pod, const NodeContext& node);

}  // namespace steer
