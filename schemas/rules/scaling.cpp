// Autoscalers and disruption budgets.
#include "schemas/formats.h"
#include "schemas/rules.h"

namespace steer {
namespace {

void checkReplicaBounds(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* least = find(spec, {"minReplicas"});
  const auto* most = find(spec, {"maxReplicas"});
  const auto low = least == nullptr ? std::optional<std::int64_t>(1) : asInt(*least);
  const auto high = most == nullptr ? std::nullopt : asInt(*most);
  if (least != nullptr && low && *low < 1)
    report.invalid(at.field("minReplicas"), *least, "must be greater than or equal to 1");
  if (high && *high < 1) report.invalid(at.field("maxReplicas"), *most, "must be greater than 0");
  else if (high && low && *high < *low)
    report.invalid(at.field("maxReplicas"), *most, "must be greater than or equal to `minReplicas`");
  const auto target = at.field("scaleTargetRef");
  const auto& said = objectAt(spec, {"scaleTargetRef"});
  for (const auto* field : {"kind", "name"})
    if (said.contains(field) && stringAt(said, {field}).empty()) report.required(target.field(field));
}

struct Source {
  const char* type;
  const char* field;
};
constexpr Source kSources[] = {{"Resource", "resource"},
                               {"ContainerResource", "containerResource"},
                               {"Pods", "pods"},
                               {"Object", "object"},
                               {"External", "external"}};

/// The target of a metric: its type names the one number that it must have.
void checkTarget(const FieldPath& at, const json::value& metric, RuleReport& report) {
  const auto* target = find(metric, {"target"});
  if (target == nullptr || !target->is_object()) return;
  const auto here = at.field("target");
  const auto type = stringAt(*target, {"type"});
  const std::vector<std::string> known{"Utilization", "Value", "AverageValue"};
  if (std::find(known.begin(), known.end(), type) == known.end())
    return report.unsupported(here.field("type"), json::value(jkey(type)), known);
  const auto* field = type == "Utilization" ? "averageUtilization" : type == "Value" ? "value" : "averageValue";
  const auto* amount = find(*target, {field});
  if (amount == nullptr || amount->is_null())
    return report.required(here.field(field), "when type is " + std::string(type));
  if (type == "Utilization" && asInt(*amount) && *asInt(*amount) < 1)
    report.invalid(here.field(field), *amount, "must be greater than 0");
}

void checkMetric(const FieldPath& at, const json::value& metric, RuleReport& report) {
  if (!metric.is_object()) return;
  const auto type = stringAt(metric, {"type"});
  std::vector<std::string> known;
  bool found = false;
  for (const auto& source : kSources) {
    known.emplace_back(source.type);
    const auto* said = find(metric, {source.field});
    const bool given = said != nullptr && said->is_object();
    const auto here = at.field(source.field);
    if (type == source.type) {
      found = true;
      if (!given) report.required(here, "must populate information for the given metric source");
      else checkTarget(here, *said, report);
    } else if (given && !type.empty()) {
      report.forbidden(here, "must populate the given metric source only");
    }
  }
  if (!found && !type.empty()) report.unsupported(at.field("type"), json::value(jkey(type)), known);
}

void checkShare(const FieldPath& at, const json::value* amount, RuleReport& report) {
  if (amount == nullptr || amount->is_null()) return;
  if (const auto n = asInt(*amount); n && *n < 0) report.invalid(at, *amount, "must be greater than or equal to 0");
  const auto* text = amount->if_string();
  if (text == nullptr) return;
  const auto percent = percentOf(view(*text));
  if (!percent)
    report.invalid(at, *amount, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '5%')",
                   "a number of pods is written without quotes");
  else if (*percent > 100) report.invalid(at, *amount, "must not be greater than 100%");
}

}  // namespace

void checkAutoscalerV1(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  checkReplicaBounds(at, spec, report);
  const auto* share = find(spec, {"targetCPUUtilizationPercentage"});
  if (share != nullptr && asInt(*share) && *asInt(*share) < 1)
    report.invalid(at.field("targetCPUUtilizationPercentage"), *share, "must be greater than 0");
}

void checkAutoscaler(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto metrics = at.field("metrics");
  const auto& spec = objectAt(object, {"spec"});
  checkReplicaBounds(at, spec, report);
  std::size_t i = 0;
  for (const auto& metric : arrayAt(spec, {"metrics"})) {
    const auto here = metrics.item(i++);
    checkMetric(here, metric, report);
  }
  const auto behaviour = at.field("behavior");
  for (const auto* direction : {"scaleUp", "scaleDown"}) {
    const auto here = behaviour.field(direction);
    const auto* window = find(spec, {"behavior", direction, "stabilizationWindowSeconds"});
    const auto n = window == nullptr ? std::nullopt : asInt(*window);
    if (n && (*n < 0 || *n > 3600))
      report.invalid(here.field("stabilizationWindowSeconds"), *window, "must be between 0 and 3600, inclusive");
  }
}

void checkDisruptionBudget(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  const auto* least = find(spec, {"minAvailable"});
  const auto* most = find(spec, {"maxUnavailable"});
  if (least != nullptr && most != nullptr && !least->is_null() && !most->is_null())
    report.invalid(at, nullptr, "minAvailable and maxUnavailable cannot be both set");
  checkShare(at.field("minAvailable"), least, report);
  checkShare(at.field("maxUnavailable"), most, report);
  checkLabelSelector(at.field("selector"), find(spec, {"selector"}), report);
}

}  // namespace steer
