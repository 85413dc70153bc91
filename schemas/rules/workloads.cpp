// Controllers of pods: deployments, replica sets, stateful and daemon sets.
#include "core/selector.h"
#include "schemas/formats.h"
#include "schemas/rules/workload_rules.h"

namespace steer {
namespace {

/// The labels that the selector asks for.
std::string labelsHint(const LabelSelector& selector) {
  std::string out;
  for (const auto& one : selector.requirements())
    if (one.op == LabelSelector::Op::in && one.values.size() == 1)
      out += (out.empty() ? "" : ", ") + one.key + ": " + one.values[0];
  return out.empty() ? "" : "give the template the labels " + out;
}

const json::object& templateLabels(const json::object& spec) {
  return objectAt(spec, {"template", "metadata", "labels"});
}

void checkPolicies(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto pod = at.path("template.spec");
  const auto& said = objectAt(spec, {"template", "spec"});
  if (const auto policy = text(said, "restartPolicy"); !policy.empty() && policy != "Always")
    report.unsupported(pod.field("restartPolicy"), quoted(policy), {"Always"});
  if (given(said, "activeDeadlineSeconds") != nullptr)
    report.forbidden(pod.field("activeDeadlineSeconds"),
                     "activeDeadlineSeconds in a pod of this kind is not supported");
}

/// Many pods cannot write one disk.
void checkSharedDisks(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto pod = at.path("template.spec");
  eachObject(pod, objectAt(spec, {"template", "spec"}), "volumes",
             [&](const FieldPath& here, const json::object& volume) {
               const auto* disk = part(volume, "gcePersistentDisk");
               if (disk != nullptr && !flag(*disk, "readOnly"))
                 report.invalid(here.path("gcePersistentDisk.readOnly"), false, "must be true for replicated pods > 1");
             });
}

enum class Selection { unreadable, checked };

/// spec.selector is there, not empty, and selects what the template makes.
Selection checkSelector(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("selector");
  const auto* selector = given(spec, "selector");
  const auto labels = at.path("template.metadata.labels");
  if (selector == nullptr) {
    report.required(here);
    report.invalid(labels, templateLabels(spec), "`selector` does not match template `labels`");
    return Selection::checked;
  }
  const auto before = report.count();
  checkLabelSelector(here, selector, report);
  const auto parsed = LabelSelector::fromObject(selector);
  if (report.count() != before || !parsed) {
    report.invalid(here, nullptr, "invalid label selector");
    return Selection::unreadable;
  }
  if (parsed.value().matchesEverything()) report.invalid(here, nullptr, "empty selector is invalid for this kind");
  else if (!parsed.value().matches(templateLabels(spec)))
    report.invalid(labels, templateLabels(spec), "`selector` does not match template `labels`",
                   labelsHint(parsed.value()));
  return Selection::checked;
}

void checkReplicated(const FieldPath& at, const json::object& spec, RuleReport& report) {
  if (checkSelector(at, spec, report) == Selection::unreadable) return;
  const auto here = at.field("template");
  checkPodTemplate(here, members(spec, "template"), report);
  if (number(spec, "replicas", 1) > 1) checkSharedDisks(at, spec, report);
  checkPolicies(at, spec, report);
}

void checkStrategy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("strategy");
  const auto rolling = here.field("rollingUpdate");
  const auto& strategy = members(spec, "strategy");
  const auto type = text(strategy, "type");
  const auto* said = part(strategy, "rollingUpdate");
  if (type == "Recreate") {
    if (said != nullptr) report.forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'");
  } else if (type == "RollingUpdate") {
    if (said == nullptr) return report.required(rolling, "this should be defaulted and never be nil");
    const auto surge = checkAmount(rolling.field("maxSurge"), given(*said, "maxSurge"), report);
    const auto unavailable = checkAmount(rolling.field("maxUnavailable"), given(*said, "maxUnavailable"), report);
    if (surge == 0 && unavailable == 0)
      report.invalid(rolling.field("maxUnavailable"), *given(*said, "maxUnavailable"),
                     "may not be 0 when `maxSurge` is 0");
    checkShareLimit(rolling.field("maxUnavailable"), given(*said, "maxUnavailable"), report);
  } else {
    report.unsupported(here, quoted(type), {"Recreate", "RollingUpdate"});
  }
}

void checkDaemonStrategy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("updateStrategy");
  const auto rolling = here.field("rollingUpdate");
  const auto& strategy = members(spec, "updateStrategy");
  const auto type = text(strategy, "type");
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") return report.unsupported(here, quoted(type), {"RollingUpdate", "OnDelete"});
  const auto* said = part(strategy, "rollingUpdate");
  if (said == nullptr) return report.required(rolling);
  const auto unavailable = checkAmount(rolling.field("maxUnavailable"), given(*said, "maxUnavailable"), report);
  const auto surge = checkAmount(rolling.field("maxSurge"), given(*said, "maxSurge"), report);
  checkShareLimit(rolling.field("maxUnavailable"), given(*said, "maxUnavailable"), report);
  checkShareLimit(rolling.field("maxSurge"), given(*said, "maxSurge"), report);
  if (unavailable != 0 && surge != 0)
    report.invalid(rolling.field("maxSurge"), *given(*said, "maxSurge"),
                   "may not be set when maxUnavailable is non-zero");
  if (unavailable == 0 && surge == 0)
    report.required(rolling.field("maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

void checkStatefulStrategy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("updateStrategy");
  const auto rolling = here.field("rollingUpdate");
  const auto& strategy = members(spec, "updateStrategy");
  const auto type = text(strategy, "type");
  const auto* said = part(strategy, "rollingUpdate");
  if (type.empty()) report.required(here);
  else if (type == "OnDelete") {
    if (said != nullptr) report.invalid(rolling, nullptr, "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type == "RollingUpdate") {
    if (said != nullptr) checkNotNegative(rolling, *said, "partition", report);
  } else {
    report.invalid(here, quoted(type), "must be 'RollingUpdate' or 'OnDelete'");
  }
  const auto policy = text(spec, "podManagementPolicy");
  if (policy.empty()) report.required(at.field("podManagementPolicy"));
  else if (!isOneOf(policy, {"OrderedReady", "Parallel"}))
    report.invalid(at.field("podManagementPolicy"), quoted(policy), "must be 'OrderedReady' or 'Parallel'");
  if (const auto* retention = part(spec, "persistentVolumeClaimRetentionPolicy")) {
    const auto place = at.field("persistentVolumeClaimRetentionPolicy");
    for (const auto* field : {"whenDeleted", "whenScaled"})
      checkEnum(place.field(field), text(*retention, field), {"Delete", "Retain"}, report, Empty::unsupported);
  }
}

/// The pod template as its pods will be: with a volume for each claim.
json::object withClaims(const json::object& spec) {
  json::object pod = members(spec, "template");
  auto& inner = ensureObject(pod, "spec");
  json::array volumes;
  std::vector<std::string> names;
  for (const auto& claim : items(spec, "volumeClaimTemplates")) {
    names.emplace_back(stringAt(claim, {"metadata", "name"}));
    volumes.push_back(
        json::object{{"name", names.back()}, {"persistentVolumeClaim", json::object{{"claimName", names.back()}}}});
  }
  for (const auto& volume : items(inner, "volumes"))
    if (std::find(names.begin(), names.end(), stringAt(volume, {"name"})) == names.end()) volumes.push_back(volume);
  if (!volumes.empty()) inner["volumes"] = std::move(volumes);
  return pod;
}

}  // namespace

std::int64_t checkAmount(const FieldPath& at, const json::value* amount, RuleReport& report) {
  if (amount == nullptr) return 0;
  if (const auto* words = amount->if_string()) {
    const auto percent = percentOf(view(*words));
    if (!percent)
      report.invalid(at, *amount,
                     "a valid percent string must be a numeric string followed by an ending '%' (e.g. '5%')",
                     "a number of pods is written without quotes");
    return percent.value_or(0);
  }
  const auto n = asInt(*amount).value_or(0);
  if (n < 0) report.invalid(at, *amount, "must be greater than or equal to 0");
  return n;
}

void checkShareLimit(const FieldPath& at, const json::value* amount, RuleReport& report) {
  const auto* words = amount == nullptr ? nullptr : amount->if_string();
  const auto percent = words == nullptr ? std::nullopt : percentOf(view(*words));
  if (percent && *percent > 100) report.invalid(at, *amount, "must not be greater than 100%");
}

void checkPodTemplate(const FieldPath& at, const json::object& pod, RuleReport& report,
                      const std::vector<std::string>& claims) {
  const auto metadata = at.field("metadata");
  const auto spec = at.field("spec");
  checkLabels(metadata.field("labels"), objectAt(pod, {"metadata", "labels"}), report);
  checkAnnotations(metadata.field("annotations"), objectAt(pod, {"metadata", "annotations"}), report);
  checkPodSpec(spec, members(pod, "spec"), report, {.name = {}, .claims = claims, .podTemplate = true});
}

void checkDeployment(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  for (const auto* field : {"replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"})
    checkNotNegative(at, spec, field, report);
  checkReplicated(at, spec, report);
  checkStrategy(at, spec, report);
  const auto* deadline = given(spec, "progressDeadlineSeconds");
  if (deadline != nullptr && asInt(*deadline) && *asInt(*deadline) <= number(spec, "minReadySeconds"))
    report.invalid(at.field("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds");
}

void checkReplicaSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  for (const auto* field : {"replicas", "minReadySeconds"}) checkNotNegative(at, spec, field, report);
  checkReplicated(at, spec, report);
}

void checkReplicationController(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  for (const auto* field : {"replicas", "minReadySeconds"}) checkNotNegative(at, spec, field, report);
  if (members(spec, "selector").empty()) report.required(at.field("selector"));
  if (given(spec, "template") == nullptr) return report.required(at.field("template"));
  const auto& labels = templateLabels(spec);
  for (const auto& [key, value] : members(spec, "selector")) {
    const auto* label = labels.if_contains(key);
    if (label != nullptr && *label == value) continue;
    report.invalid(at.path("template.metadata.labels"), labels, "`selector` does not match template `labels`");
    break;
  }
  const auto here = at.field("template");
  checkPodTemplate(here, members(spec, "template"), report);
  if (number(spec, "replicas", 1) > 1) checkSharedDisks(at, spec, report);
  checkPolicies(at, spec, report);
}

void checkStatefulSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  for (const auto* field : {"replicas", "minReadySeconds"}) checkNotNegative(at, spec, field, report);
  if (const auto* ordinals = part(spec, "ordinals")) {
    const auto here = at.field("ordinals");
    checkNotNegative(here, *ordinals, "start", report);
  }
  checkStatefulStrategy(at, spec, report);
  if (const auto name = text(spec, "serviceName"); report.creating() && !name.empty())
    report.check(at.field("serviceName"), name, checkDns1123Label);
  eachObject(at, spec, "volumeClaimTemplates", [&](const FieldPath& here, const json::object& claim) {
    if (!report.creating()) return;  // they may not change
    const auto inside = here.field("spec");
    checkClaimSpec(inside, members(claim, "spec"), report);
  });
  if (checkSelector(at, spec, report) == Selection::checked) {
    const auto here = at.field("template");
    checkPodTemplate(here, withClaims(spec), report);
  }
  checkPolicies(at, spec, report);
}

void checkDaemonSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  const auto here = at.field("selector");
  const auto* selector = given(spec, "selector");
  const auto before = report.count();
  checkLabelSelector(here, selector, report);
  const auto parsed = LabelSelector::fromObject(selector);
  const bool readable = report.count() == before && parsed.ok();
  if (readable && (selector == nullptr || !parsed.value().matches(templateLabels(spec))))
    report.invalid(at.path("template.metadata.labels"), templateLabels(spec),
                   "`selector` does not match template `labels`", labelsHint(parsed.value()));
  if (selector != nullptr && readable && parsed.value().matchesEverything())
    report.invalid(here, nullptr, "empty selector is invalid for daemonset");
  const auto pod = at.field("template");
  checkPodTemplate(pod, members(spec, "template"), report);
  checkSharedDisks(at, spec, report);
  checkPolicies(at, spec, report);
  for (const auto* field : {"minReadySeconds", "revisionHistoryLimit"}) checkNotNegative(at, spec, field, report);
  checkDaemonStrategy(at, spec, report);
}

void checkPodTemplateObject(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("template");
  checkPodTemplate(at, members(object, "template"), report);
}

}  // namespace steer
