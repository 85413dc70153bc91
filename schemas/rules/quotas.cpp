// Limits and quotas of namespaces, priorities and runtime classes.
#include <set>

#include "core/quantity.h"
#include "schemas/rules/pod_rules.h"
#include "schemas/rules/resource_names.h"

namespace steer {
namespace {

std::optional<Quantity> amountIn(const json::object& limit, const char* group, std::string_view name) {
  const auto* value = find(limit, {group, name});
  if (value == nullptr) return std::nullopt;
  auto parsed = Quantity::fromJson(*value);
  return parsed.ok() ? std::optional(parsed.value()) : std::nullopt;
}

void checkLimitName(const FieldPath& at, std::string_view type, std::string_view name, RuleReport& report) {
  checkResourceName(at, name, report);
  if (checkQualifiedName(name) || name.find('/') != std::string_view::npos) return;
  const bool pods = type == "Pod" || type == "Container";
  if (pods && !name.starts_with("hugepages-") && !isOneOf(name, {"cpu", "memory", "ephemeral-storage"}))
    report.invalid(at, quoted(name), "must be a standard limit type or fully qualified");
}

void checkOrder(const FieldPath& at, const json::object& limit, std::string_view name, RuleReport& report) {
  struct Pair {
    const char* low;
    const char* high;
    const char* blamed;
  };
  constexpr Pair kPairs[] = {{"min", "max", "min"},
                             {"min", "defaultRequest", "defaultRequest"},
                             {"defaultRequest", "max", "defaultRequest"},
                             {"defaultRequest", "default", "defaultRequest"},
                             {"min", "default", "default"},
                             {"default", "max", "default"}};
  for (const auto& pair : kPairs) {
    const auto low = amountIn(limit, pair.low, name);
    const auto high = amountIn(limit, pair.high, name);
    const auto here = at.field(pair.blamed);
    if (low && high && *low > *high)
      report.invalid(
          here.key(name), quoted((std::string_view(pair.blamed) == pair.low ? low : high)->text()),
          std::string(pair.low) + " value " + low->text() + " is greater than " + pair.high + " value " + high->text());
  }
  const auto ratio = amountIn(limit, "maxLimitRequestRatio", name);
  if (!ratio) return;
  const auto here = at.field("maxLimitRequestRatio");
  if (*ratio < Quantity::ofUnits(1))
    report.invalid(here.key(name), quoted(ratio->text()), "ratio " + ratio->text() + " is less than 1");
  const auto least = amountIn(limit, "min", name);
  const auto most = amountIn(limit, "max", name);
  if (least && most && !least->isZero() &&
      static_cast<double>(ratio->milli()) / 1000 >
          static_cast<double>(most->milli()) / static_cast<double>(least->milli()))
    report.invalid(here.key(name), quoted(ratio->text()), "ratio is greater than max/min");
}

bool isScope(std::string_view scope) {
  return isOneOf(scope, {"Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
                         "CrossNamespacePodAffinity", "VolumeAttributesClass"});
}

/// What a scope that counts pods alone can limit.
bool countsPods(std::string_view scope, std::string_view resource) {
  const bool computed =
      isOneOf(resource, {"pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"});
  if (scope == "BestEffort") return resource == "pods";
  if (isOneOf(scope, {"Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"}))
    return computed || resource.ends_with("ephemeral-storage") || resource.find('/') != std::string_view::npos ||
           resource.find("hugepages-") != std::string_view::npos;
  return true;
}

void checkScopes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("scopes");
  std::set<std::string, std::less<>> scopes;
  bool reported = false;
  eachText(at, spec, "scopes", [&](const FieldPath&, std::string_view scope) {
    if (!isScope(scope)) report.invalid(here, quoted(scope), "unsupported scope");
    for (const auto& [key, value] : members(spec, "hard"))
      if (!reported && isScope(scope) && !countsPods(scope, {key.data(), key.size()})) {
        report.invalid(here, quoted(scope), "unsupported scope applied to resource");
        reported = true;
      }
    scopes.emplace(scope);
  });
  const std::pair<const char*, const char*> opposites[] = {{"BestEffort", "NotBestEffort"},
                                                           {"Terminating", "NotTerminating"}};
  for (const auto& [one, other] : opposites)
    if (scopes.contains(one) && scopes.contains(other)) report.invalid(here, nullptr, "conflicting scopes");
}

void checkScopeSelector(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* selector = part(spec, "scopeSelector");
  if (selector == nullptr) return;
  const auto here = at.path("scopeSelector.matchExpressions");
  for (const auto& item : items(*selector, "matchExpressions")) {
    const auto scope = stringAt(item, {"scopeName"});
    const auto op = stringAt(item, {"operator"});
    const bool empty = arrayAt(item, {"values"}).empty();
    if (!isScope(scope)) report.invalid(here.field("scopeName"), quoted(scope), "unsupported scope");
    if (isScope(scope) && !isOneOf(scope, {"PriorityClass", "VolumeAttributesClass"}) && op != "Exists")
      report.invalid(here.field("operator"), quoted(op), "must be 'Exist' when scope is any of the scopes of pods");
    if (isOneOf(op, {"In", "NotIn"}) && empty)
      report.required(here.field("values"), "must be at least one value when `operator` is 'In' or 'NotIn'");
    else if (isOneOf(op, {"Exists", "DoesNotExist"}) && !empty)
      report.invalid(here.field("values"), nullptr, "must be no value when `operator` is 'Exist' or 'DoesNotExist'");
    else if (!isOneOf(op, {"In", "NotIn", "Exists", "DoesNotExist"}))
      report.invalid(here.field("operator"), quoted(op), "not a valid selector operator");
  }
}

}  // namespace

void checkLimitRange(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  std::set<std::string, std::less<>> types;
  eachObject(at, members(object, "spec"), "limits", [&](const FieldPath& here, const json::object& limit) {
    const auto type = text(limit, "type");
    if (const auto problem = checkQualifiedName(type)) report.invalid(here.field("type"), quoted(type), *problem);
    else if (!isOneOf(type, {"Container", "PersistentVolumeClaim", "Pod"}) && type.find('/') == std::string_view::npos)
      report.invalid(here.field("type"), quoted(type), "must be a standard limit type or fully qualified");
    if (!types.emplace(type).second) report.duplicate(here.field("type"), quoted(type));
    std::set<std::string, std::less<>> names;
    for (const auto* group : {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"}) {
      const bool onContainers = isOneOf(group, {"default", "defaultRequest"});
      const auto inside = here.field(group);
      if (type == "Pod" && onContainers && !members(limit, group).empty())
        report.forbidden(inside, "may not be specified when `type` is 'Pod'");
      if (type == "Pod" && onContainers) continue;
      for (const auto& [key, value] : members(limit, group)) {
        names.emplace(key);
        checkLimitName(inside.key({key.data(), key.size()}), type, {key.data(), key.size()}, report);
      }
    }
    const bool unbounded = members(limit, "min").contains("storage") || members(limit, "max").contains("storage");
    if (type == "PersistentVolumeClaim" && !unbounded)
      report.required(here.field("limits"),
                      "either minimum or maximum storage value is required, but neither was provided");
    for (const auto& name : names) checkOrder(here, limit, name, report);
  });
}

void checkQuota(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto hard = at.field("hard");
  const auto& spec = members(object, "spec");
  for (const auto& [key, value] : members(spec, "hard")) {
    const std::string_view name(key.data(), key.size());
    const auto here = hard.key(name);
    checkResourceName(here, name, report);
    const bool known = name.find('/') != std::string_view::npos ||
                       (isStandardResource(name) && name != "storage" && !name.starts_with("hugepages-"));
    if (!checkQualifiedName(name) && isStandardResource(name) && !known)
      report.invalid(here, quoted(name), "must be a standard resource for quota");
    checkResourceAmount(here, name, value, report);
  }
  checkScopes(at, spec, report);
  checkScopeSelector(at, spec, report);
}

void checkPriorityClass(const json::object& object, RuleReport& report) {
  constexpr std::int64_t kHighest = 1'000'000'000;
  const FieldPath root;
  const auto name = stringAt(object, {"metadata", "name"});
  const auto value = number(object, "value");
  if (name.starts_with("system-")) {
    const bool known = (name == "system-node-critical" && value == kHighest * 2 + 1000) ||
                       (name == "system-cluster-critical" && value == kHighest * 2);
    if (!known)
      report.forbidden(root.path("metadata.name"),
                       "priority class names with 'system-' prefix are reserved for system use only");
  } else if (value > kHighest) {
    report.forbidden(root.field("value"), "maximum allowed value of a user defined priority is 1000000000");
  }
  if (given(object, "preemptionPolicy") != nullptr)
    checkEnum(root.field("preemptionPolicy"), text(object, "preemptionPolicy"), {"Never", "PreemptLowerPriority"},
              report, Empty::required);
}

void checkRuntimeClass(const json::object& object, RuleReport& report) {
  const FieldPath root;
  report.check(root.field("handler"), text(object, "handler"), checkDns1123Label);
  const auto overhead = root.field("overhead");
  if (const auto* said = part(object, "overhead"))
    checkOverhead(overhead, json::object{{"overhead", members(*said, "podFixed")}}, report);
  const auto* scheduling = part(object, "scheduling");
  if (scheduling == nullptr) return;
  const auto at = root.field("scheduling");
  checkLabels(at.field("nodeSelector"), members(*scheduling, "nodeSelector"), report);
  const auto tolerations = at.field("tolerations");
  checkTolerations(tolerations, *scheduling, report);
}

}  // namespace steer
