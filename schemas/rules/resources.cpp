// Resources that containers and pods ask for.
#include <set>

#include "core/quantity.h"
#include "schemas/rules/pod_rules.h"
#include "schemas/rules/resource_names.h"

namespace steer {
namespace {

std::optional<Quantity> amountOf(const json::value& value) {
  auto parsed = Quantity::fromJson(value);
  if (!parsed) return std::nullopt;  // a finding of the structure
  return parsed.value();
}

/// Names that a container may ask for.
void checkContainerResourceName(const FieldPath& at, std::string_view name, RuleReport& report) {
  checkResourceName(at, name, report);
  if (checkQualifiedName(name)) return;
  if (name.find('/') != std::string_view::npos) {
    if (!isNativeResource(name) && !isExtendedResource(name))
      report.invalid(at, quoted(name), "doesn't follow extended resource name standard");
    return;
  }
  const std::vector<std::string> known{"cpu", "memory", "ephemeral-storage"};
  if (name.starts_with("hugepages-") || std::find(known.begin(), known.end(), name) != known.end()) return;
  std::string near = name == "mem" || name == "ram" ? "memory" : nearestName(name, known);
  if (name == "gpu") near = "its full name, such as nvidia.com/gpu";
  if (near.empty()) near = "cpu, memory or ephemeral-storage";
  report.invalid(at, quoted(name), "must be a standard resource for containers", "write " + near);
}

bool isComputed(std::string_view name) { return name == "cpu" || name == "memory"; }

struct Contents {
  bool computed = false;
  bool huge = false;
};

using NameRule = void (*)(const FieldPath&, std::string_view, RuleReport&);

Contents checkAmounts(const FieldPath& at, const json::object& amounts, NameRule nameRule, RuleReport& report) {
  Contents out;
  for (const auto& [key, value] : amounts) {
    const std::string_view name(key.data(), key.size());
    const auto here = at.key(name);
    nameRule(here, name, report);
    checkResourceAmount(here, name, value, report);
    out.computed = out.computed || isComputed(name);
    out.huge = out.huge || name.starts_with("hugepages-");
  }
  return out;
}

void checkRequests(const FieldPath& at, const json::object& resources, RuleReport& report) {
  const auto requests = at.field("requests");
  const auto& limits = members(resources, "limits");
  for (const auto& [key, value] : members(resources, "requests")) {
    const std::string_view name(key.data(), key.size());
    const bool overcommits = isNativeResource(name) && !name.starts_with("hugepages-");
    const auto asked = amountOf(value);
    const auto* most = limits.if_contains(key);
    if (most == nullptr) {
      if (!overcommits) report.required(at.field("limits"), "Limit must be set for non overcommitable resources");
      continue;
    }
    const auto top = amountOf(*most);
    if (!asked || !top) continue;
    if (!overcommits && *asked != *top)
      report.invalid(requests, value, "must be equal to " + std::string(name) + " limit of " + top->text());
    else if (*asked > *top)
      report.invalid(requests, value,
                     "must be less than or equal to " + std::string(name) + " limit of " + top->text());
  }
}

void checkRequirements(const FieldPath& at, const json::object& resources, NameRule nameRule, RuleReport& report) {
  const auto limits = checkAmounts(at.field("limits"), members(resources, "limits"), nameRule, report);
  const auto requests = checkAmounts(at.field("requests"), members(resources, "requests"), nameRule, report);
  checkRequests(at, resources, report);
  if (!limits.computed && !requests.computed && (limits.huge || requests.huge))
    report.forbidden(at, "HugePages require cpu or memory");
}

void checkClaimNames(const FieldPath& at, const json::object& resources, const std::vector<std::string>& claims,
                     RuleReport& report) {
  std::set<std::string> seen;
  eachObject(at, resources, "claims", [&](const FieldPath& here, const json::object& claim) {
    const auto name = text(claim, "name");
    if (name.empty()) return report.required(here);
    if (const auto request = text(claim, "request"); !request.empty())
      report.check(here.field("request"), request, checkDns1123Label);
    if (!seen.insert(std::string(name) + "/" + std::string(text(claim, "request"))).second)
      report.duplicate(here, quoted(name));
    if (std::find(claims.begin(), claims.end(), name) == claims.end()) report.notFound(here, quoted(name));
  });
}

/// Names that a whole pod may ask for.
void checkPodResourceName(const FieldPath& at, std::string_view name, RuleReport& report) {
  checkResourceName(at, name, report);
  const bool known = name.find('/') != std::string_view::npos || isStandardResource(name);
  if (!checkQualifiedName(name) && known && !isComputed(name) && !name.starts_with("hugepages-"))
    report.unsupported(at, quoted(name), {"cpu", "hugepages-*", "memory"});
}

/// What the containers ask for together must fit into what the pod asks for.
void checkSums(const FieldPath& at, const json::object& spec, const json::object& resources, RuleReport& report) {
  const auto requests = at.field("requests");
  for (const auto& [key, value] : members(resources, "requests")) {
    Quantity sum;
    for (const auto& container : items(spec, "containers"))
      if (const auto* said = find(container, {"resources", "requests", std::string_view(key.data(), key.size())}))
        if (const auto amount = amountOf(*said)) sum += *amount;
    const auto pod = amountOf(value);
    if (pod && sum > *pod)
      report.invalid(requests.key({key.data(), key.size()}), value,
                     "must be greater than or equal to aggregate container requests of " + sum.text());
  }
  const auto limits = at.field("limits");
  for (const auto& container : items(spec, "containers"))
    for (const auto& [key, value] : objectAt(container, {"resources", "limits"})) {
      const auto* most = members(resources, "limits").if_contains(key);
      const auto top = most == nullptr ? std::nullopt : amountOf(*most);
      const auto own = amountOf(value);
      if (top && own && *own > *top)
        report.invalid(limits.key({key.data(), key.size()}), *most,
                       "must be greater than or equal to the limits of each container");
    }
}

}  // namespace

bool isNativeResource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

bool isExtendedResource(std::string_view name) {
  return !isNativeResource(name) && !name.starts_with("requests.") &&
         !checkQualifiedName("requests." + std::string(name));
}

void checkResourceAmount(const FieldPath& at, std::string_view name, const json::value& value, RuleReport& report) {
  const auto amount = amountOf(value);
  if (!amount) return;
  if (*amount < Quantity()) report.invalid(at, value, "must be greater than or equal to 0");
  if ((isExtendedResource(name) || isCountedResource(name)) && amount->milli() % 1000 != 0)
    report.invalid(at, value, "must be an integer");
}

bool isCountedResource(std::string_view name) {
  return isOneOf(name, {"pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
                        "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"});
}

bool isStandardResource(std::string_view name) {
  return isCountedResource(name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-") ||
         isOneOf(name, {"cpu", "memory", "ephemeral-storage", "storage", "requests.cpu", "requests.memory",
                        "requests.storage", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
                        "limits.ephemeral-storage"});
}

void checkResourceName(const FieldPath& at, std::string_view name, RuleReport& report) {
  const auto problem = checkQualifiedName(name);
  if (problem) return report.invalid(at, quoted(name), *problem);
  if (name.find('/') == std::string_view::npos && !isStandardResource(name))
    report.invalid(at, quoted(name), "must be a standard resource type or fully qualified");
}

void checkContainerResources(const FieldPath& at, const json::object& resources, const PodScope& scope,
                             RuleReport& report) {
  checkRequirements(at, resources, checkContainerResourceName, report);
  checkClaimNames(at, resources, scope.claims, report);
}

void checkOverhead(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto limits = at.field("limits");
  checkAmounts(limits, members(spec, "overhead"), checkContainerResourceName, report);
}

void checkPodResources(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* resources = part(spec, "resources");
  if (resources == nullptr) return;
  if (given(*resources, "claims") != nullptr)
    report.forbidden(at.field("claims"), "claims may not be set for Resources at pod-level");
  std::vector<std::string> claims;
  for (const auto& claim : items(spec, "resourceClaims")) claims.emplace_back(stringAt(claim, {"name"}));
  checkClaimNames(at, *resources, claims, report);
  checkRequirements(at, *resources, checkPodResourceName, report);
  checkSums(at, spec, *resources, report);
}

}  // namespace steer
