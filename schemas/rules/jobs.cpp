// Jobs and cron jobs.
#include <charconv>
#include <set>

#include "core/cron.h"
#include "core/selector.h"
#include "schemas/rules/workload_rules.h"

namespace steer {
namespace {

constexpr std::size_t kMostRules = 20;
constexpr std::int64_t kMany = 100'000;
constexpr std::int64_t kFew = 10'000;

bool isIndexed(const json::object& spec) { return text(spec, "completionMode") == "Indexed"; }

void checkManyIndexes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto completions = number(spec, "completions");
  const auto* failed = given(spec, "maxFailedIndexes");
  const auto parallel = number(spec, "parallelism");
  if (parallel > kMany)
    report.invalid(at.field("parallelism"), parallel,
                   "must be less than or equal to 100000 when completion mode is Indexed");
  if (given(spec, "completions") != nullptr && failed != nullptr && number(spec, "maxFailedIndexes") > completions)
    report.invalid(at.field("maxFailedIndexes"), *failed, "must be less than or equal to completions");
  if (number(spec, "maxFailedIndexes") > kMany)
    report.invalid(at.field("maxFailedIndexes"), *failed, "must be less than or equal to 100000");
  if (completions <= kMany || given(spec, "backoffLimitPerIndex") == nullptr) return;
  if (failed == nullptr)
    report.required(at.field("maxFailedIndexes"), "must be specified when completions is above 100000");
  if (number(spec, "maxFailedIndexes") > kFew)
    report.invalid(at.field("maxFailedIndexes"), *failed, "must be less than or equal to 10000");
  if (parallel > kFew)
    report.invalid(at.field("parallelism"), parallel,
                   "must be less than or equal to 10000 when completions are above 100000 and used with backoff limit "
                   "per index");
}

void checkIndexes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  if (given(spec, "completionMode") != nullptr)
    checkEnum(at.field("completionMode"), text(spec, "completionMode"), {"Indexed", "NonIndexed"}, report,
              Empty::unsupported);
  if (given(spec, "maxFailedIndexes") != nullptr && given(spec, "backoffLimitPerIndex") == nullptr)
    report.required(at.field("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  if (isIndexed(spec)) {
    if (given(spec, "completions") == nullptr)
      report.required(at.field("completions"), "when completion mode is Indexed");
    return checkManyIndexes(at, spec, report);
  }
  for (const auto* field : {"backoffLimitPerIndex", "maxFailedIndexes"})
    if (given(spec, field) != nullptr)
      report.invalid(at.field(field), *given(spec, field), "requires indexed completion mode");
}

/// "1,3-5": ascending, below the completions. Returns how many they are, nothing when it cannot be read.
std::optional<std::int64_t> indexesIn(std::string_view words, std::int64_t completions) {
  std::int64_t total = 0;
  std::int64_t last = -1;
  const auto parse = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t n = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (ec != std::errc{} || end != digits.data() + digits.size() || n < 0) return std::nullopt;
    return n;
  };
  while (true) {
    const auto one = words.substr(0, words.find(','));
    const auto dash = one.find('-');
    const auto first = parse(one.substr(0, dash));
    const auto end = dash == std::string_view::npos ? first : parse(one.substr(dash + 1));
    if (!first || !end || *first <= last || *end < *first || (dash != std::string_view::npos && *end == *first) ||
        *end >= completions)
      return std::nullopt;
    total += *end - *first + 1;
    last = *end;
    if (one.size() == words.size()) return total;
    words.remove_prefix(one.size() + 1);
  }
}

void checkSuccessRule(const FieldPath& here, const json::object& rule, std::int64_t completions, RuleReport& report) {
  const auto* count = given(rule, "succeededCount");
  const auto* indexes = given(rule, "succeededIndexes");
  if (count == nullptr && indexes == nullptr)
    report.required(here, "at least one of succeededCount or succeededIndexes must be specified");
  std::int64_t most = completions;
  if (indexes != nullptr) {
    const auto total = indexesIn(text(rule, "succeededIndexes"), completions);
    if (!total)
      report.invalid(here.field("succeededIndexes"), *indexes,
                     "must be ascending indexes and ranges below completions, such as \"1,3-5\"");
    else most = *total;
  }
  if (count == nullptr) return;
  checkNotNegative(here, rule, "succeededCount", report);
  if (number(rule, "succeededCount") > most)
    report.invalid(here.field("succeededCount"), *count,
                   "must be less than or equal to " + std::to_string(most) + " (the number of specified indexes)");
}

void checkSuccessPolicy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* policy = part(spec, "successPolicy");
  if (policy == nullptr) return;
  const auto here = at.field("successPolicy");
  if (!isIndexed(spec)) return report.invalid(here, nullptr, "requires indexed completion mode");
  const auto rules = here.field("rules");
  if (items(*policy, "rules").empty())
    report.required(rules, "at least one rules must be specified when the successPolicy is specified");
  if (items(*policy, "rules").size() > kMostRules) report.tooMany(rules, kMostRules);
  eachObject(here, *policy, "rules", [&](const FieldPath& one, const json::object& rule) {
    checkSuccessRule(one, rule, number(spec, "completions", 1), report);
  });
}

void checkExitCodes(const FieldPath& at, const json::object& codes, const json::object& spec, RuleReport& report) {
  constexpr std::size_t kMostCodes = 255;
  const auto op = text(codes, "operator");
  checkEnum(at.field("operator"), op, {"In", "NotIn"}, report, Empty::required);
  if (given(codes, "containerName") != nullptr) {
    const auto name = text(codes, "containerName");
    bool found = false;
    for (const auto* list : {"containers", "initContainers"})
      for (const auto& container : arrayAt(spec, {"template", "spec", list}))
        found = found || stringAt(container, {"name"}) == name;
    if (!found)
      report.invalid(at.field("containerName"), quoted(name),
                     "must be one of the container or initContainer names in "
                     "the pod template");
  }
  const auto values = at.field("values");
  const auto& list = items(codes, "values");
  if (list.empty()) return report.invalid(values, nullptr, "at least one value is required");
  if (list.size() > kMostCodes) return report.tooMany(values, kMostCodes);
  std::set<std::int64_t> seen;
  bool ordered = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto n = asInt(list[i]).value_or(0);
    if (op == "In" && n == 0) report.invalid(values.item(i), n, "must not be 0 for the In operator");
    if (!seen.insert(n).second) report.duplicate(values.item(i), n);
    else if (n < *seen.rbegin()) ordered = false;
  }
  if (!ordered) report.invalid(values, nullptr, "must be ordered");
}

void checkFailureRule(const FieldPath& here, const json::object& rule, const json::object& spec, RuleReport& report) {
  const auto action = text(rule, "action");
  checkEnum(here.field("action"), action, {"Count", "FailIndex", "FailJob", "Ignore"}, report, Empty::required);
  if (action == "FailIndex" && given(spec, "backoffLimitPerIndex") == nullptr)
    report.invalid(here.field("action"), quoted(action), "requires the backoffLimitPerIndex to be set");
  const auto* codes = part(rule, "onExitCodes");
  const auto& conditions = items(rule, "onPodConditions");
  if (codes != nullptr) {
    const auto inside = here.field("onExitCodes");
    checkExitCodes(inside, *codes, spec, report);
  }
  if (conditions.size() > kMostRules) report.tooMany(here.field("onPodConditions"), kMostRules);
  eachObject(here, rule, "onPodConditions", [&](const FieldPath& one, const json::object& pattern) {
    report.check(one.field("type"), text(pattern, "type"), checkQualifiedName);
    checkEnum(one.field("status"), text(pattern, "status"), {"False", "True", "Unknown"}, report, Empty::required);
  });
  if (codes != nullptr && !conditions.empty())
    report.invalid(here, nullptr, "specifying both OnExitCodes and OnPodConditions is not supported");
  if (codes == nullptr && conditions.empty())
    report.invalid(here, nullptr, "specifying one of OnExitCodes and OnPodConditions is required");
}

void checkFailurePolicy(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* policy = part(spec, "podFailurePolicy");
  if (policy == nullptr) return;
  const auto here = at.field("podFailurePolicy");
  const auto restart = stringAt(spec, {"template", "spec", "restartPolicy"});
  if (restart != "Never")
    report.invalid(at.path("template.spec.restartPolicy"), quoted(restart),
                   "only \"Never\" is supported when podFailurePolicy is specified");
  if (items(*policy, "rules").size() > kMostRules) report.tooMany(here.field("rules"), kMostRules);
  eachObject(here, *policy, "rules",
             [&](const FieldPath& one, const json::object& rule) { checkFailureRule(one, rule, spec, report); });
}

void checkJobSpec(const FieldPath& at, const json::object& spec, RuleReport& report) {
  constexpr std::size_t kLongestManager = 63;
  for (const auto* field : {"parallelism", "completions", "backoffLimit", "activeDeadlineSeconds",
                            "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"})
    checkNotNegative(at, spec, field, report);
  checkIndexes(at, spec, report);
  checkFailurePolicy(at, spec, report);
  checkSuccessPolicy(at, spec, report);
  if (given(spec, "podReplacementPolicy") != nullptr) {
    const auto policy = text(spec, "podReplacementPolicy");
    const bool failing = given(spec, "podFailurePolicy") != nullptr;
    const auto here = at.field("podReplacementPolicy");
    if (failing && policy != "Failed") report.unsupported(here, quoted(policy), {"Failed"});
    else checkEnum(here, policy, {"Failed", "TerminatingOrFailed"}, report, Empty::unsupported);
  }
  if (given(spec, "managedBy") != nullptr) {
    const auto manager = text(spec, "managedBy");
    const auto here = at.field("managedBy");
    if (manager.empty()) report.required(here);
    else report.check(here, manager, checkDomainPath(manager));
    if (manager.size() > kLongestManager) report.tooLong(here, "may not be more than 63 bytes");
  }
  const auto pod = at.field("template");
  checkPodTemplate(pod, members(spec, "template"), report);
  const auto restart = stringAt(spec, {"template", "spec", "restartPolicy"});
  const auto place = at.path("template.spec.restartPolicy");
  if (restart.empty() || restart == "Always") report.required(place, "valid values: \"OnFailure\", \"Never\"");
  else if (restart != "OnFailure" && restart != "Never")
    report.unsupported(place, quoted(restart), {"OnFailure", "Never"});
}

/// Names of the time zone database by their area; the database itself belongs to the machine.
bool isZone(std::string_view zone) {
  if (zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
          std::string_view::npos ||
      zone.ends_with('/'))
    return false;
  const auto slash = zone.find('/');
  if (slash != std::string_view::npos)
    return isOneOf(zone.substr(0, slash),
                   {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Brazil", "Canada",
                    "Chile", "Etc", "Europe", "Indian", "Mexico", "Pacific", "US"});
  return isOneOf(
      zone, {"CET",       "CST6CDT", "Cuba",    "EET",   "EST",       "EST5EDT",   "Egypt",    "Eire",     "GB",
             "GB-Eire",   "GMT",     "GMT+0",   "GMT-0", "GMT0",      "Greenwich", "HST",      "Hongkong", "Iceland",
             "Iran",      "Israel",  "Jamaica", "Japan", "Kwajalein", "Libya",     "MET",      "MST",      "MST7MDT",
             "NZ",        "NZ-CHAT", "Navajo",  "PRC",   "PST8PDT",   "Poland",    "Portugal", "ROC",      "ROK",
             "Singapore", "Turkey",  "UCT",     "UTC",   "Universal", "W-SU",      "WET",      "Zulu"});
}

void checkSchedule(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("schedule");
  const auto schedule = text(spec, "schedule");
  if (schedule.empty()) report.required(here);
  else if (schedule.find("TZ") != std::string_view::npos)
    report.invalid(here, quoted(schedule), "cannot use TZ or CRON_TZ in schedule", "use the timeZone field instead");
  else if (const auto parsed = CronSchedule::parse(schedule); !parsed)
    report.invalid(here, quoted(schedule), parsed.error().message,
                   "five fields: minute hour day-of-month month day-of-week, as in \"0 3 * * *\"");
  if (given(spec, "timeZone") != nullptr)
    if (const auto zone = text(spec, "timeZone"); !isZone(zone))
      report.invalid(at.field("timeZone"), quoted(zone),
                     "must be the name of an IANA time zone, such as \"Europe/Berlin\"");
}

}  // namespace

namespace {

/// The name becomes a label of the pods, and of a job that has no other labels than they.
void checkNameAsLabel(const json::object& object, RuleReport& report) {
  const auto name = stringAt(object, {"metadata", "name"});
  const FieldPath root;
  report.check(root.path("spec.template.labels"), name, checkLabelValue);
  if (objectAt(object, {"metadata", "labels"}).empty() &&
      !objectAt(object, {"spec", "template", "metadata", "labels"}).empty())
    report.check(root.path("metadata.labels"), name, checkLabelValue);
}

}  // namespace

void checkJob(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  checkJobSpec(at, spec, report);
  if (report.creating() && !flag(spec, "manualSelector")) checkNameAsLabel(object, report);
  const auto* selector = given(spec, "selector");
  const auto& labels = objectAt(spec, {"template", "metadata", "labels"});
  const auto place = at.path("template.metadata.labels");
  if (selector == nullptr) {
    if (report.creating() && !flag(spec, "manualSelector")) return;  // the server makes it
    report.required(at.field("selector"));
    return report.invalid(place, labels, "`selector` does not match template `labels`");
  }
  const auto before = report.count();
  checkLabelSelector(at.field("selector"), selector, report);
  const auto parsed = LabelSelector::fromObject(selector);
  if (report.count() == before && parsed.ok() && !parsed.value().matches(labels))
    report.invalid(place, labels, "`selector` does not match template `labels`");
}

void checkCronJob(const json::object& object, RuleReport& report) {
  constexpr std::size_t kLongestName = 52;
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto at = spec.path("jobTemplate.spec");
  const auto& said = members(object, "spec");
  const auto& job = objectAt(said, {"jobTemplate", "spec"});
  checkSchedule(spec, said, report);
  checkEnum(spec.field("concurrencyPolicy"), text(said, "concurrencyPolicy"), {"Allow", "Forbid", "Replace"}, report,
            Empty::required);
  for (const auto* field : {"startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"})
    checkNotNegative(spec, said, field, report);
  // The jobs are named after it, with the time: their pods' label must still fit.
  if (const auto name = stringAt(object, {"metadata", "name"}); name.size() > kLongestName)
    report.invalid(root.path("metadata.name"), quoted(name), "must be no more than 52 characters");
  checkJobSpec(at, job, report);
  if (given(job, "selector") != nullptr)
    report.invalid(at.field("selector"), nullptr, "`selector` will be auto-generated");
  if (flag(job, "manualSelector")) report.unsupported(at.field("manualSelector"), true, {"nil", "false"});
}

}  // namespace steer
