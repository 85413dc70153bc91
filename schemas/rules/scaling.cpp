// Autoscalers and disruption budgets.
#include "core/quantity.h"
#include "core/selector.h"
#include "schemas/formats.h"
#include "schemas/rules/workload_rules.h"

namespace steer {
namespace {

void checkReference(const FieldPath& at, const json::object& ref, RuleReport& report) {
  for (const auto* field : {"kind", "name"})
    if (checkPresent(at, ref, field, report)) report.check(at.field(field), text(ref, field), checkPathSegment);
}

/// "v1", "apps/v1": a group and a version.
bool isApiVersion(std::string_view words) { return words == "v1" || std::count(words.begin(), words.end(), '/') == 1; }

void checkReplicaBounds(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto low = number(spec, "minReplicas", 1);
  const auto high = number(spec, "maxReplicas");
  if (low < 1) report.invalid(at.field("minReplicas"), low, "must be greater than or equal to 1");
  if (high < 1) report.invalid(at.field("maxReplicas"), high, "must be greater than 0");
  if (high < low) report.invalid(at.field("maxReplicas"), high, "must be greater than or equal to `minReplicas`");
  const auto target = at.field("scaleTargetRef");
  const auto& ref = members(spec, "scaleTargetRef");
  checkReference(target, ref, report);
  if (!isApiVersion(text(ref, "apiVersion")))
    report.invalid(target.field("apiVersion"), quoted(text(ref, "apiVersion")),
                   "must be specified, such as \"apps/v1\"");
}

void checkTarget(const FieldPath& at, const json::object& target, RuleReport& report) {
  const auto type = text(target, "type");
  const auto here = at.field("type");
  if (type.empty()) report.required(here, "must specify a metric target type");
  if (!isOneOf(type, {"Utilization", "Value", "AverageValue"}))
    report.invalid(here, quoted(type), "must be either Utilization, Value, or AverageValue");
  for (const auto* field : {"value", "averageValue"})
    if (const auto* amount = given(target, field)) {
      const auto parsed = Quantity::fromJson(*amount);
      if (parsed.ok() && parsed.value() <= Quantity()) report.invalid(at.field(field), *amount, "must be positive");
    }
  if (const auto* share = given(target, "averageUtilization"); share != nullptr && asInt(*share).value_or(1) < 1)
    report.invalid(at.field("averageUtilization"), *share, "must be greater than 0");
}

void checkIdentifier(const FieldPath& at, const json::object& metric, RuleReport& report) {
  if (checkPresent(at, metric, "name", report)) report.check(at.field("name"), text(metric, "name"), checkPathSegment);
}

void checkResourceSource(const FieldPath& at, const json::object& source, RuleReport& report) {
  const auto target = at.field("target");
  const auto& said = members(source, "target");
  checkPresent(at, source, "name", report);
  checkTarget(target, said, report);
  const bool share = given(said, "averageUtilization") != nullptr;
  const bool value = given(said, "averageValue") != nullptr;
  if (!share && !value)
    report.required(target.field("averageUtilization"), "must set either a target raw value or a target utilization");
  if (share && value)
    report.forbidden(target.field("averageValue"), "may not set both a target raw value and a target utilization");
}

/// Pods, objects and external metrics count values.
void checkValueSource(const FieldPath& at, const json::object& source, std::string_view kind, RuleReport& report) {
  const auto metric = at.field("metric");
  const auto target = at.field("target");
  const auto& said = members(source, "target");
  checkIdentifier(metric, members(source, "metric"), report);
  checkTarget(target, said, report);
  const bool value = given(said, "value") != nullptr;
  const bool average = given(said, "averageValue") != nullptr;
  if (kind == "pods") {
    if (!average) report.required(target.field("averageValue"), "must specify a positive target averageValue");
    return;
  }
  if (kind == "object") {
    const auto described = at.field("describedObject");
    checkReference(described, members(source, "describedObject"), report);
  }
  if (!value && !average)
    report.required(target.field("averageValue"), "must set either a target value for metric or a per-pod target");
  if (kind == "external" && value && average)
    report.forbidden(target.field("value"), "may not set both a target value for metric and a per-pod target");
}

struct Source {
  const char* type;
  const char* field;
};
constexpr Source kSources[] = {{"Object", "object"},
                               {"Pods", "pods"},
                               {"Resource", "resource"},
                               {"ContainerResource", "containerResource"},
                               {"External", "external"}};

void checkMetric(const FieldPath& at, const json::object& metric, RuleReport& report) {
  const auto type = text(metric, "type");
  std::vector<std::string> known;
  std::size_t count = 0;
  for (const auto& source : kSources) count += part(metric, source.field) != nullptr ? 1U : 0U;
  for (const auto& source : kSources) {
    known.emplace_back(source.type);
    const auto* said = part(metric, source.field);
    const auto here = at.field(source.field);
    const std::string_view field = source.field;
    if (said == nullptr) {
      if (type == source.type) report.required(here, "must populate information for the given metric source");
      continue;
    }
    if (type != source.type && count > 1) report.forbidden(here, "must populate the given metric source only");
    if (field == "resource") {
      checkResourceSource(here, *said, report);
    } else if (field == "containerResource") {
      if (type != source.type) continue;
      checkPresent(here, *said, "container", report);
      checkResourceSource(here, *said, report);
    } else {
      checkValueSource(here, *said, field, report);
    }
  }
  if (type.empty()) report.required(at.field("type"), "must specify a metric source type");
  if (std::find(known.begin(), known.end(), type) == known.end())
    report.unsupported(at.field("type"), quoted(type), known);
}

void checkBehaviour(const FieldPath& at, const json::object& rules, RuleReport& report) {
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kHalfHour = 1800;
  if (given(rules, "stabilizationWindowSeconds") != nullptr) {
    const auto window = number(rules, "stabilizationWindowSeconds");
    if (window < 0 || window > kHour)
      report.invalid(at.field("stabilizationWindowSeconds"), window, "must be between 0 and 3600, inclusive");
  }
  if (given(rules, "selectPolicy") != nullptr)
    checkEnum(at.field("selectPolicy"), text(rules, "selectPolicy"), {"Disabled", "Max", "Min"}, report,
              Empty::unsupported);
  if (items(rules, "policies").empty()) report.required(at.field("policies"), "must specify at least one Policy");
  eachObject(at, rules, "policies", [&](const FieldPath& here, const json::object& policy) {
    checkEnum(here.field("type"), text(policy, "type"), {"Percent", "Pods"}, report, Empty::unsupported);
    if (const auto n = number(policy, "value"); n < 1)
      report.invalid(here.field("value"), n, "must be greater than zero");
    if (const auto n = number(policy, "periodSeconds"); n < 1 || n > kHalfHour)
      report.invalid(here.field("periodSeconds"), n, "must be greater than zero and at most 1800");
  });
}

}  // namespace

void checkAutoscalerV1(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  checkReplicaBounds(at, spec, report);
  const auto* share = given(spec, "targetCPUUtilizationPercentage");
  if (share != nullptr && asInt(*share) && *asInt(*share) < 1)
    report.invalid(at.field("targetCPUUtilizationPercentage"), *share, "must be greater than 0");
}

void checkAutoscaler(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  checkReplicaBounds(at, spec, report);
  bool outside = false;
  eachObject(at, spec, "metrics", [&](const FieldPath& here, const json::object& metric) {
    outside = outside || isOneOf(text(metric, "type"), {"Object", "External"});
    checkMetric(here, metric, report);
  });
  if (number(spec, "minReplicas", 1) == 0 && !outside)
    report.forbidden(at.field("metrics"),
                     "must specify at least one Object or External metric to support scaling to zero replicas");
  const auto* behaviour = part(spec, "behavior");
  if (behaviour == nullptr) return;
  for (const auto* direction : {"scaleUp", "scaleDown"})
    if (const auto* rules = part(*behaviour, direction)) {
      const auto here = at.field("behavior");
      const auto inside = here.field(direction);
      checkBehaviour(inside, *rules, report);
    }
}

void checkDisruptionBudget(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  const auto* least = given(spec, "minAvailable");
  const auto* most = given(spec, "maxUnavailable");
  if (least != nullptr && most != nullptr)
    report.invalid(at, nullptr, "minAvailable and maxUnavailable cannot be both set");
  for (const auto* field : {"minAvailable", "maxUnavailable"}) {
    checkAmount(at.field(field), given(spec, field), report);
    checkShareLimit(at.field(field), given(spec, field), report);
  }
  checkLabelSelector(at.field("selector"), given(spec, "selector"), report);
  if (given(spec, "unhealthyPodEvictionPolicy") != nullptr)
    checkEnum(at.field("unhealthyPodEvictionPolicy"), text(spec, "unhealthyPodEvictionPolicy"),
              {"AlwaysAllow", "IfHealthyBudget"}, report, Empty::unsupported);
}

}  // namespace steer
