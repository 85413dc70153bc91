// Nodes.
#include <algorithm>

#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/status_error.h"
#include "core/ip_address.h"

namespace steer {
namespace {

constexpr const char* kNotReady = "node.kubernetes.io/not-ready";

std::string roles(const Object& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> found;
  for (const auto& [key, value] : node.labels()) {
    const std::string_view name = key;
    if (name.starts_with(kPrefix) && name.size() > kPrefix.size()) found.emplace_back(name.substr(kPrefix.size()));
  }
  if (const auto role = node.label("kubernetes.io/role"); !role.empty()) found.emplace_back(role);
  std::sort(found.begin(), found.end());
  std::string out;
  for (const auto& role : found) out += (out.empty() ? "" : ",") + role;
  return orNone(out);
}

std::string state(const Object& node) {
  std::string out = "Unknown";
  for (const auto& condition : arrayAt(node.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready")
      out = stringAt(condition, {"status"}) == "True" ? "Ready" : "NotReady";
  if (boolAt(node.spec(), {"unschedulable"})) out += ",SchedulingDisabled";
  return out;
}

std::string address(const Object& node, std::string_view type) {
  for (const auto& item : arrayAt(node.status(), {"addresses"}))
    if (stringAt(item, {"type"}) == type) return std::string(stringAt(item, {"address"}));
  return "<none>";
}

class NodeStrategy final : public KindStrategy {
 public:
  bool countsGenerations() const override { return false; }

  /// Nothing is scheduled on a new node before its condition is known; the node controller takes the taint away.
  Result<void> prepareCreate(const AdmissionContext& context, json::object& node) const override {
    if (context.options.disabledAdmission.has(AdmissionPlugin::taintNodesByCondition)) return {};
    auto& taints = ensureArray(ensureObject(node, "spec"), "taints");
    const bool tainted = std::any_of(taints.begin(), taints.end(), [](const json::value& taint) {
      return stringAt(taint, {"key"}) == kNotReady && stringAt(taint, {"effect"}) == "NoSchedule";
    });
    if (!tainted) taints.push_back(json::object{{"key", kNotReady}, {"effect", "NoSchedule"}});
    return {};
  }

  /// The server speaks to these addresses: what is none could lead it anywhere.
  void validateStatus(const json::object& node, std::vector<Cause>& causes) const override {
    std::size_t index = 0;
    for (const auto& item : arrayAt(node, {"status", "addresses"})) {
      const std::string at = "status.addresses[" + std::to_string(index++) + "].address";
      const auto type = stringAt(item, {"type"});
      const std::string written(stringAt(item, {"address"}));
      if ((type == "InternalIP" || type == "ExternalIP") && !isIpAddress(written))
        causes.push_back(
            invalidValue(at, "\"" + written + "\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
    }
    const auto port = intAt(node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"});
    if (port < 0 || port > 65535)
      causes.push_back(invalidValue("status.daemonEndpoints.kubeletEndpoint.Port",
                                    std::to_string(port) + ": must be between 1 and 65535, inclusive"));
  }

  std::vector<std::string_view> selectableFields() const override { return {"spec.unschedulable"}; }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},
            {"Status"},
            {"Roles"},
            {"Age"},
            {"Version"},
            {"Internal-IP", "string", "", 1},
            {"External-IP", "string", "", 1},
            {"OS-Image", "string", "", 1},
            {"Kernel-Version", "string", "", 1},
            {"Container-Runtime", "string", "", 1}};
  }
  json::array row(const Object& node, Time now) const override {
    const auto info = [&](std::string_view field) {
      const auto text = stringAt(node.status(), {"nodeInfo", field});
      return text.empty() ? std::string("<unknown>") : std::string(text);
    };
    return {node.name(),
            state(node),
            roles(node),
            ageText(node, now),
            stringAt(node.status(), {"nodeInfo", "kubeletVersion"}),
            address(node, "InternalIP"),
            address(node, "ExternalIP"),
            info("osImage"),
            info("kernelVersion"),
            info("containerRuntimeVersion")};
  }
};

}  // namespace

void register_node(StrategyRegistry& registry) { registry.add("nodes", std::make_unique<NodeStrategy>()); }

}  // namespace steer
