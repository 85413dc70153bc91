#include "nodeagent/agent/node_reporter.h"

#include <algorithm>

#include "core/node_labels.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "nodeagent/agent/agent_server.h"

namespace steer {

namespace {

constexpr int kLeaseSeconds = 40;

struct Wanted {
  const char* type;
  bool value;
  std::string reason;
  std::string message;
};

json::object conditionOf(const Wanted& wanted, const Object* node, Time now) {
  const char* status = wanted.value ? "True" : "False";
  json::object out{{"type", wanted.type}, {"status", status}, {"lastHeartbeatTime", formatTime(now)}};
  out["lastTransitionTime"] = formatTime(now);
  out["reason"] = wanted.reason;
  out["message"] = wanted.message;
  if (!node) return out;
  for (const auto& old : arrayAt(node->status(), {"conditions"}))
    if (stringAt(old, {"type"}) == wanted.type && stringAt(old, {"status"}) == status)
      if (const auto* since = find(old, {"lastTransitionTime"})) out["lastTransitionTime"] = *since;
  return out;
}

json::object nodeLabels(const AgentOptions& options) {
  json::object labels = standingNodeLabels(options.nodeName);
  for (const auto& [key, value] : options.labels) labels[key] = value;
  return labels;
}

json::array withoutHeartbeats(const json::array& conditions) {
  json::array out = conditions;
  for (auto& condition : out)
    if (auto* object = condition.if_object()) object->erase("lastHeartbeatTime");
  return out;
}

}  // namespace

json::object nodeObjectOf(const AgentOptions& options) {
  json::object spec;
  if (!options.taints.empty()) spec["taints"] = options.taints;
  if (!options.providerId.empty()) spec["providerID"] = options.providerId;
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", json::object{{"name", options.nodeName}, {"labels", nodeLabels(options)}}},
          {"spec", std::move(spec)}};
}

json::object nodeStatusOf(const AgentOptions& options, const MachineFacts& facts, const NodeReport& report,
                          const Object* node, Time now) {
  json::object status;
  status["capacity"] = facts.capacity;
  status["allocatable"] = facts.allocatable;
  status["addresses"] = json::array{json::object{{"type", "InternalIP"}, {"address", options.address}},
                                    json::object{{"type", "Hostname"}, {"address", options.nodeName}}};
  status["nodeInfo"] = facts.nodeInfo;
  status["nodeInfo"].as_object()["containerRuntimeVersion"] = report.runtimeVersion;
  if (report.serverPort > 0)
    status["daemonEndpoints"] = json::object{{"kubeletEndpoint", json::object{{"Port", report.serverPort}}}};
  const bool ready = report.ready();
  const std::string why = !report.runtimeReady   ? "container runtime is not ready: " + report.runtimeMessage
                          : !report.networkReady ? "pod network is not ready: " + report.networkMessage
                                                 : "the agent is posting ready status";
  json::array conditions;
  conditions.push_back(conditionOf(
      {"MemoryPressure", report.pressure.memory, report.pressure.memory ? "InsufficientMemory" : "SufficientMemory",
       report.pressure.memory ? "little memory is available" : "enough memory is available"},
      node, now));
  conditions.push_back(
      conditionOf({"DiskPressure", report.pressure.disk, report.pressure.disk ? "InsufficientDisk" : "NoDiskPressure",
                   report.pressure.disk ? "the disk is nearly full" : "enough disk space is available"},
                  node, now));
  conditions.push_back(
      conditionOf({"PIDPressure", false, "SufficientPIDs", "enough process numbers are available"}, node, now));
  conditions.push_back(conditionOf({"Ready", ready, ready ? "AgentReady" : "AgentNotReady", why}, node, now));
  const bool faultless = report.faults.empty();
  const auto& past = report.lastFault;
  conditions.push_back(conditionOf({"Faultless", faultless,
                                    !faultless     ? "Fault"
                                    : past.empty() ? "NoFault"
                                                   : "Recovered",
                                    !faultless     ? report.faults
                                    : past.empty() ? "the agent has had no fault"
                                                   : "the last one: " + past},
                                   node, now));
  status["conditions"] = std::move(conditions);
  makeUtf8(status);
  return status;
}

bool nodeStatusDiffers(const json::object& wanted, const json::object& current) {
  for (const auto& [key, value] : wanted) {
    const auto* now = current.if_contains(key);
    if (!now) return true;
    if (key == "conditions") {
      const auto theirs = now->is_array() ? withoutHeartbeats(now->get_array()) : json::array{};
      for (const auto& condition : withoutHeartbeats(value.get_array()))
        if (std::find(theirs.begin(), theirs.end(), condition) == theirs.end()) return true;
    } else if (*now != value) {
      return true;
    }
  }
  return false;
}

std::optional<Write> nodeMetadataWrite(const AgentOptions& options, const Object& node) {
  json::object labels;
  for (const auto& [key, value] : nodeLabels(options))
    if (node.label(key) != view(value.as_string())) labels[key] = value;
  if (labels.empty()) return std::nullopt;
  json::object metadata{{"labels", std::move(labels)}};
  return Write::patch({"nodes", "", options.nodeName}, PatchType::merge,
                      json::object{{"metadata", std::move(metadata)}});
}

Write leaseRenewal(const std::string& nodeName, Time now) {
  return Write::patch(
      {"leases.coordination.k8s.io", kLeaseNamespace, nodeName}, PatchType::merge,
      json::object{{"spec", json::object{{"holderIdentity", nodeName}, {"renewTime", formatMicroTime(now)}}}});
}

Write leaseCreation(const std::string& nodeName, const std::string& nodeUid, Time now) {
  json::object metadata{{"name", nodeName}, {"namespace", kLeaseNamespace}};
  if (!nodeUid.empty())
    metadata["ownerReferences"] =
        json::array{json::object{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", nodeName}, {"uid", nodeUid}}};
  return Write::create("leases.coordination.k8s.io",
                       json::object{{"apiVersion", "coordination.k8s.io/v1"},
                                    {"kind", "Lease"},
                                    {"metadata", std::move(metadata)},
                                    {"spec", json::object{{"holderIdentity", nodeName},
                                                          {"leaseDurationSeconds", kLeaseSeconds},
                                                          {"renewTime", formatMicroTime(now)}}}});
}

}  // namespace steer
