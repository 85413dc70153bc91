#include "cluster/apiserver/admission/quota_usage.h"

#include <algorithm>
#include <array>
#include <vector>

#include "schemas/pod_admission.h"

namespace steer::quota {
namespace {

constexpr std::array<std::string_view, 8> kPlain{
    "pods",           "services", "secrets", "configmaps", "persistentvolumeclaims", "replicationcontrollers",
    "resourcequotas", "endpoints"};

Quantity quantityOf(const json::value& value) { return Quantity::fromJson(value).valueOr({}); }

bool isTerminal(const json::object& pod) {
  const auto phase = stringAt(pod, {"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

/// The larger of what runs together and each init container in its turn, with the overhead.
Amounts computeOf(const json::object& pod, std::string_view list) {
  Amounts together, sidecars, peak;
  const auto amounts = [&](const json::value& container) {
    Amounts out;
    for (const auto& [name, value] : objectAt(container, {"resources", list}))
      out[std::string(name)] = quantityOf(value);
    return out;
  };
  for (const auto& container : arrayAt(pod, {"spec", "containers"}))
    for (const auto& [name, amount] : amounts(container)) together[name] += amount;
  for (const auto& container : arrayAt(pod, {"spec", "initContainers"})) {
    const bool stays = stringAt(container, {"restartPolicy"}) == "Always";
    for (const auto& [name, amount] : amounts(container)) {
      if (stays) {
        together[name] += amount;
        sidecars[name] += amount;
      }
      peak[name] = std::max(peak[name], stays ? sidecars[name] : sidecars[name] + amount);
    }
  }
  for (const auto& [name, amount] : peak) together[name] = std::max(together[name], amount);
  for (const auto& [name, value] : objectAt(pod, {"spec", "overhead"}))
    if (list == "requests" || together.contains(std::string(name))) together[std::string(name)] += quantityOf(value);
  return together;
}

Amounts chargeOfPod(const json::object& pod) {
  Amounts out;
  out["count/pods"] = Quantity::ofUnits(1);
  if (isTerminal(pod)) return out;
  out["pods"] = Quantity::ofUnits(1);
  for (const auto& [name, amount] : computeOf(pod, "requests")) {
    out["requests." + name] = amount;
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-"))
      out[name] = amount;
  }
  for (const auto& [name, amount] : computeOf(pod, "limits")) out["limits." + name] = amount;
  return out;
}

Amounts chargeOfService(const json::object& service) {
  Amounts out;
  const auto type = stringAt(service, {"spec", "type"});
  const auto ports = static_cast<std::int64_t>(arrayAt(service, {"spec", "ports"}).size());
  if (type == "LoadBalancer") {
    out["services.loadbalancers"] = Quantity::ofUnits(1);
    std::int64_t nodePorts = ports;
    if (!boolAt(service, {"spec", "allocateLoadBalancerNodePorts"}, true)) {
      nodePorts = 0;
      for (const auto& port : arrayAt(service, {"spec", "ports"})) nodePorts += intAt(port, {"nodePort"}) != 0 ? 1 : 0;
    }
    out["services.nodeports"] = Quantity::ofUnits(nodePorts);
  }
  if (type == "NodePort") out["services.nodeports"] = Quantity::ofUnits(ports);
  return out;
}

Amounts chargeOfClaim(const json::object& claim) {
  Amounts out;
  const auto* asked = find(claim, {"spec", "resources", "requests", "storage"});
  const Quantity storage = asked == nullptr ? Quantity{} : quantityOf(*asked);
  out["requests.storage"] = storage;
  if (const std::string storageClass(stringAt(claim, {"spec", "storageClassName"})); !storageClass.empty()) {
    out[storageClass + ".storageclass.storage.k8s.io/requests.storage"] = storage;
    out[storageClass + ".storageclass.storage.k8s.io/persistentvolumeclaims"] = Quantity::ofUnits(1);
  }
  return out;
}

bool isCompute(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-") ||
         name.starts_with("limits.") || (name.starts_with("requests.") && name != "requests.storage");
}

bool matchesExpression(const json::value& expression, std::string_view value) {
  const auto op = stringAt(expression, {"operator"});
  const auto& values = arrayAt(expression, {"values"});
  const bool among = std::any_of(values.begin(), values.end(), [&](const json::value& one) {
    return one.is_string() && view(one.get_string()) == value;
  });
  if (op == "In") return among;
  if (op == "NotIn") return !among;
  return (op == "Exists") == !value.empty();
}

bool crossesNamespaces(const json::object& pod) {
  for (const char* kind : {"podAffinity", "podAntiAffinity"})
    for (const char* list :
         {"requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"})
      for (const auto& term : arrayAt(pod, {"spec", "affinity", kind, list})) {
        const auto* inner = find(term, {"podAffinityTerm"});
        const auto& of = inner == nullptr ? term : *inner;
        if (!arrayAt(of, {"namespaces"}).empty() || find(of, {"namespaceSelector"}) != nullptr) return true;
      }
  return false;
}

bool matchesScope(std::string_view scope, const json::value* expression, const json::object& pod) {
  const bool bestEffort = qosClassOf(pod) == "BestEffort";
  const bool terminating = find(pod, {"spec", "activeDeadlineSeconds"}) != nullptr;
  if (scope == "BestEffort") return bestEffort;
  if (scope == "NotBestEffort") return !bestEffort;
  if (scope == "Terminating") return terminating;
  if (scope == "NotTerminating") return !terminating;
  if (scope == "CrossNamespacePodAffinity") return crossesNamespaces(pod);
  if (scope != "PriorityClass") return false;
  const auto name = stringAt(pod, {"spec", "priorityClassName"});
  return expression == nullptr ? !name.empty() : matchesExpression(*expression, name);
}

}  // namespace

Amounts hardOf(const json::object& quota) {
  Amounts out;
  for (const auto& [name, value] : objectAt(quota, {"spec", "hard"})) out[std::string(name)] = quantityOf(value);
  return out;
}

std::set<std::string> resourcesCounted(const Amounts& hard) {
  std::set<std::string> out;
  for (const auto& [name, limit] : hard) {
    if (name.starts_with("count/")) out.insert(name.substr(6));
    else if (std::find(kPlain.begin(), kPlain.end(), name) != kPlain.end()) out.insert(name);
    else if (name.starts_with("services.")) out.insert("services");
    else if (name == "requests.storage" || name.find(".storageclass.storage.k8s.io/") != std::string::npos)
      out.insert("persistentvolumeclaims");
    else if (isCompute(name)) out.insert("pods");
  }
  return out;
}

Amounts chargeOf(const std::string& resource, const json::object& object) {
  if (resource == "pods") return chargeOfPod(object);
  Amounts out;
  if (resource == "services") out = chargeOfService(object);
  if (resource == "persistentvolumeclaims") out = chargeOfClaim(object);
  out["count/" + resource] = Quantity::ofUnits(1);
  out[resource] = Quantity::ofUnits(1);
  return out;
}

bool inScope(const json::object& quota, const std::string& resource, const json::object& object) {
  const auto& scopes = arrayAt(quota, {"spec", "scopes"});
  const auto& expressions = arrayAt(quota, {"spec", "scopeSelector", "matchExpressions"});
  if (scopes.empty() && expressions.empty()) return true;
  if (resource != "pods") return false;
  for (const auto& scope : scopes)
    if (scope.is_string() && !matchesScope(view(scope.get_string()), nullptr, object)) return false;
  return std::all_of(expressions.begin(), expressions.end(), [&](const json::value& expression) {
    return matchesScope(stringAt(expression, {"scopeName"}), &expression, object);
  });
}

std::string unsaid(const Amounts& hard, const json::object& pod) {
  std::map<std::string, std::vector<std::string>> missing;
  for (const auto& [name, limit] : hard) {
    const bool plain = name == "cpu" || name == "memory";
    if (!plain && name != "requests.cpu" && name != "requests.memory" && name != "limits.cpu" &&
        name != "limits.memory")
      continue;
    const bool limits = name.starts_with("limits.");
    const auto resource = plain ? name : name.substr(name.find('.') + 1);
    for (const char* list : {"containers", "initContainers"})
      for (const auto& container : arrayAt(pod, {"spec", list}))
        if (find(container, {"resources", limits ? "limits" : "requests", resource}) == nullptr)
          missing[name].emplace_back(stringAt(container, {"name"}));
  }
  std::string out;
  for (auto& [name, containers] : missing) {
    std::sort(containers.begin(), containers.end());
    std::string list;
    for (const auto& container : containers) list += (list.empty() ? "" : ",") + container;
    out += (out.empty() ? "" : "; ") + name + " for: " + list;
  }
  return out;
}

}  // namespace steer::quota
