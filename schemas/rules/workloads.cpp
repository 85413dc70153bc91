// Controllers of pods: their selectors, templates and update strategies.
#include "core/cron.h"
#include "core/selector.h"
#include "schemas/formats.h"
#include "schemas/rules.h"

namespace steer {
namespace {

void checkNotNegative(const FieldPath& at, const json::object& spec, const char* field, RuleReport& report) {
  const auto n = intAt(spec, {field});
  if (n < 0) report.invalid(at.field(field), n, "must be greater than or equal to 0");
}

/// Template and its pod; `policies`: the restart policies that make sense for this controller.
void checkTemplate(const FieldPath& at, const json::object& spec, const std::vector<std::string>& policies,
                   RuleReport& report, const std::vector<std::string>& claims = {}) {
  const auto here = at.field("template");
  const auto metadata = here.field("metadata");
  const auto pod = here.field("spec");
  const auto* said = find(spec, {"template"});
  if (said == nullptr || !said->is_object()) return;
  checkLabels(metadata.field("labels"), objectAt(*said, {"metadata", "labels"}), report);
  checkAnnotations(metadata.field("annotations"), objectAt(*said, {"metadata", "annotations"}), report);
  const auto* podSpec = find(*said, {"spec"});
  if (podSpec == nullptr || !podSpec->is_object()) {
    report.required(pod.field("containers"));
    return;
  }
  checkPodSpec(pod, podSpec->get_object(), report, claims);
  const auto policy = stringAt(*podSpec, {"restartPolicy"});
  const bool defaulted = policy.empty() && policies.front() == "Always";
  const bool listed = std::find(policies.begin(), policies.end(), policy) != policies.end();
  if (policy.empty() && !defaulted)
    report.required(pod.field("restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
  else if (!policy.empty() && !listed)
    report.unsupported(pod.field("restartPolicy"), json::value(jkey(policy)), policies);
}

/// The labels that the selector asks for.
std::string labelsHint(const LabelSelector& selector) {
  std::string out;
  for (const auto& one : selector.requirements())
    if (one.op == LabelSelector::Op::in && one.values.size() == 1)
      out += (out.empty() ? "" : ", ") + one.key + ": " + one.values[0];
  return out.empty() ? "" : "give the template the labels " + out;
}

/// The selector must select the pods that the template makes.
void checkSelector(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* selector = find(spec, {"selector"});
  if (selector == nullptr || !selector->is_object()) return;
  const auto here = at.field("selector");
  const auto before = report.count();
  checkLabelSelector(here, selector, report);
  if (report.count() != before) return;
  const auto parsed = LabelSelector::fromObject(selector);
  if (!parsed) return report.invalid(here, nullptr, parsed.error().message);
  if (parsed.value().matchesEverything())
    return report.invalid(here, nullptr, "empty selector is invalid for this kind");
  const auto& labels = objectAt(spec, {"template", "metadata", "labels"});
  const auto tmpl = at.field("template");
  const auto metadata = tmpl.field("metadata");
  if (find(spec, {"template"}) != nullptr && !parsed.value().matches(labels))
    report.invalid(metadata.field("labels"), labels, "`selector` does not match template `labels`",
                   labelsHint(parsed.value()));
}

/// Whether the amount is surely zero; reports texts that are no percentage.
bool checkAmount(const FieldPath& at, const json::value* amount, RuleReport& report) {
  if (amount == nullptr || amount->is_null()) return false;
  if (const auto* text = amount->if_string()) {
    const auto percent = percentOf(view(*text));
    if (!percent)
      report.invalid(at, *amount,
                     "a valid percent string must be a numeric string followed by an ending '%' (e.g. '5%')");
    return percent == 0;
  }
  const auto n = asInt(*amount);
  if (n && *n < 0) report.invalid(at, *amount, "must be greater than or equal to 0");
  return n == 0;
}

void checkRollingUpdate(const FieldPath& at, const json::object& spec, const char* strategyName, RuleReport& report) {
  const auto strategy = at.field(strategyName);
  const auto rolling = strategy.field("rollingUpdate");
  const auto* said = find(spec, {strategyName, "rollingUpdate"});
  if (said == nullptr || !said->is_object()) return;
  const auto type = stringAt(spec, {strategyName, "type"});
  if (!type.empty() && type != "RollingUpdate")
    return report.forbidden(rolling, "may not be specified when strategy `type` is '" + std::string(type) + "'");
  const bool noSurge = checkAmount(rolling.field("maxSurge"), find(*said, {"maxSurge"}), report);
  const auto unavailable = rolling.field("maxUnavailable");
  const bool noUnavailable = checkAmount(unavailable, find(*said, {"maxUnavailable"}), report);
  if (noSurge && noUnavailable)
    report.invalid(unavailable, *find(*said, {"maxUnavailable"}), "may not be 0 when `maxSurge` is 0");
}

bool says(const json::object& spec, const char* field) {
  const auto* value = spec.if_contains(field);
  return value != nullptr && !value->is_null();
}

void checkIndexed(const FieldPath& at, const json::object& spec, RuleReport& report) {
  constexpr std::int64_t kMostParallel = 100'000;
  if (stringAt(spec, {"completionMode"}) == "Indexed") {
    // Without both, both become 1.
    if (!says(spec, "completions") && says(spec, "parallelism"))
      report.required(at.field("completions"), "when completion mode is Indexed");
    if (const auto n = intAt(spec, {"parallelism"}); n > kMostParallel)
      report.invalid(at.field("parallelism"), n,
                     "must be less than or equal to 100000 when completion mode is Indexed");
  } else {
    for (const auto* field : {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"})
      if (says(spec, field))
        report.invalid(at.field(field), *spec.if_contains(field), "requires indexed completion mode");
  }
  if (says(spec, "maxFailedIndexes") && !says(spec, "backoffLimitPerIndex"))
    report.required(at.field("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
}

void checkSuccessPolicy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  if (!says(spec, "successPolicy")) return;
  const auto here = at.field("successPolicy");
  const auto rules = here.field("rules");
  const auto& said = arrayAt(spec, {"successPolicy", "rules"});
  if (said.empty()) report.required(rules, "at least one rules must be specified when the successPolicy is specified");
  std::size_t index = 0;
  for (const auto& rule : said) {
    const auto one = rules.item(index++);
    const auto* count = find(rule, {"succeededCount"});
    const auto* indexes = find(rule, {"succeededIndexes"});
    if (count == nullptr && indexes == nullptr)
      report.required(one, "at least one of succeededCount or succeededIndexes must be specified");
    if (count != nullptr && asInt(*count).value_or(1) < 1)
      report.invalid(one.field("succeededCount"), *count, "must be greater than 0");
    const auto text = stringAt(rule, {"succeededIndexes"});
    const bool legible = text.find_first_not_of("0123456789,-") == std::string_view::npos && !text.ends_with('-');
    if (indexes != nullptr && (text.empty() || !legible))
      report.invalid(one.field("succeededIndexes"), *indexes, "must be indexes and ranges such as \"1,3-5\"");
  }
}

void checkFailurePolicy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  if (!says(spec, "podFailurePolicy")) return;
  const auto here = at.field("podFailurePolicy");
  if (const auto policy = stringAt(spec, {"template", "spec", "restartPolicy"}); policy != "Never") {
    const auto tmpl = at.field("template");
    const auto pod = tmpl.field("spec");
    report.invalid(pod.field("restartPolicy"), json::value(jkey(policy)),
                   "only \"Never\" is supported when podFailurePolicy is specified");
  }
  const auto rules = here.field("rules");
  std::size_t index = 0;
  for (const auto& rule : arrayAt(spec, {"podFailurePolicy", "rules"})) {
    const auto one = rules.item(index++);
    const bool codes = find(rule, {"onExitCodes"}) != nullptr;
    const bool conditions = !arrayAt(rule, {"onPodConditions"}).empty();
    if (codes == conditions) report.invalid(one, rule, "specifying one of OnExitCodes and OnPodConditions is required");
    if (stringAt(rule, {"action"}) == "FailIndex" && !says(spec, "backoffLimitPerIndex"))
      report.invalid(one.field("action"), "FailIndex", "requires the backoffLimitPerIndex to be set");
  }
}

void checkJobNumbers(const FieldPath& at, const json::object& spec, RuleReport& report) {
  for (const auto* field : {"parallelism", "completions", "backoffLimit", "activeDeadlineSeconds",
                            "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"})
    checkNotNegative(at, spec, field, report);
}

void checkSchedule(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("schedule");
  const auto* said = find(spec, {"schedule"});
  if (said != nullptr && said->is_string()) {
    const auto text = view(said->get_string());
    if (text.empty()) report.required(here);
    else if (text.find("TZ=") != std::string_view::npos)
      report.invalid(here, *said, "cannot use TZ or CRON_TZ in schedule", "use the timeZone field instead");
    else if (const auto parsed = CronSchedule::parse(text); !parsed)
      report.invalid(here, *said, parsed.error().message,
                     "five fields: minute hour day-of-month month day-of-week, as in \"0 3 * * *\"");
  }
  const auto zone = stringAt(spec, {"timeZone"});
  if (zone == "Local" || zone.find("..") != std::string_view::npos || zone.starts_with('/'))
    report.invalid(at.field("timeZone"), json::value(jkey(zone)),
                   "must be the name of an IANA time zone, such as \"Europe/Berlin\"");
}

const std::vector<std::string> kAlways{"Always"};
const std::vector<std::string> kJobPolicies{"OnFailure", "Never"};

}  // namespace

void checkDeployment(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  for (const auto* field : {"replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"})
    checkNotNegative(at, spec, field, report);
  checkSelector(at, spec, report);
  checkRollingUpdate(at, spec, "strategy", report);
  checkTemplate(at, spec, kAlways, report);
  const auto deadline = find(spec, {"progressDeadlineSeconds"});
  if (deadline != nullptr && asInt(*deadline) && *asInt(*deadline) <= intAt(spec, {"minReadySeconds"}))
    report.invalid(at.field("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds");
}

void checkReplicaSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  for (const auto* field : {"replicas", "minReadySeconds"}) checkNotNegative(at, spec, field, report);
  checkSelector(at, spec, report);
  checkTemplate(at, spec, kAlways, report);
}

void checkReplicationController(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  for (const auto* field : {"replicas", "minReadySeconds"}) checkNotNegative(at, spec, field, report);
  const auto& labels = objectAt(spec, {"template", "metadata", "labels"});
  const auto tmpl = at.field("template");
  const auto metadata = tmpl.field("metadata");
  if (find(spec, {"template"}) == nullptr) report.required(tmpl);
  // Without a selector it becomes the template's labels.
  for (const auto& [key, value] : objectAt(spec, {"selector"})) {
    const auto* label = labels.if_contains(key);
    if (label != nullptr && *label == value) continue;
    report.invalid(metadata.field("labels"), labels, "`selector` does not match template `labels`");
    break;
  }
  if (objectAt(spec, {"selector"}).empty() && labels.empty()) report.required(at.field("selector"));
  checkTemplate(at, spec, kAlways, report);
}

void checkStatefulSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  for (const auto* field : {"replicas", "minReadySeconds", "revisionHistoryLimit"})
    checkNotNegative(at, spec, field, report);
  checkSelector(at, spec, report);
  std::vector<std::string> claims;
  for (const auto& claim : arrayAt(spec, {"volumeClaimTemplates"}))
    claims.emplace_back(stringAt(claim, {"metadata", "name"}));
  checkTemplate(at, spec, kAlways, report, claims);
  const auto strategy = at.field("updateStrategy");
  const auto rolling = strategy.field("rollingUpdate");
  const auto* partition = find(spec, {"updateStrategy", "rollingUpdate", "partition"});
  if (partition != nullptr && asInt(*partition) && *asInt(*partition) < 0)
    report.invalid(rolling.field("partition"), *partition, "must be greater than or equal to 0");
  const auto type = stringAt(spec, {"updateStrategy", "type"});
  if (type == "OnDelete" && find(spec, {"updateStrategy", "rollingUpdate"}) != nullptr)
    report.invalid(rolling, nullptr, "only allowed for updateStrategy 'RollingUpdate'");
}

void checkDaemonSet(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  checkSelector(at, spec, report);
  checkRollingUpdate(at, spec, "updateStrategy", report);
  checkTemplate(at, spec, kAlways, report);
}

void checkJob(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  checkJobNumbers(at, spec, report);
  if (boolAt(spec, {"manualSelector"})) checkSelector(at, spec, report);
  checkIndexed(at, spec, report);
  checkFailurePolicy(at, spec, report);
  checkSuccessPolicy(at, spec, report);
  checkTemplate(at, spec, kJobPolicies, report);
}

void checkCronJob(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto job = spec.field("jobTemplate");
  const auto at = job.field("spec");
  const auto& said = objectAt(object, {"spec", "jobTemplate", "spec"});
  checkSchedule(spec, objectAt(object, {"spec"}), report);
  for (const auto* field : {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"})
    checkNotNegative(spec, objectAt(object, {"spec"}), field, report);
  // The jobs are named after it, with the time: their pods' label must still fit.
  if (const auto name = stringAt(object, {"metadata", "name"}); name.size() > 52) {
    const auto metadata = root.field("metadata");
    report.invalid(metadata.field("name"), json::value(jkey(name)), "must be no more than 52 characters");
  }
  checkJobNumbers(at, said, report);
  checkTemplate(at, said, kJobPolicies, report);
}

}  // namespace steer
