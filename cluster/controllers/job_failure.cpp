#include "cluster/controllers/job_failure.h"

#include <algorithm>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/job_facts.h"

namespace steer {
namespace {

FailureAction actionOf(std::string_view text) {
  if (text == "Ignore") return FailureAction::ignore;
  if (text == "FailJob") return FailureAction::failJob;
  if (text == "FailIndex") return FailureAction::failIndex;
  return FailureAction::count;
}

/// "" when no container's exit code fits the requirement, else which one did.
std::string exitCodeMatch(const json::value& wanted, const Object& pod) {
  const auto container = stringAt(wanted, {"containerName"});
  const bool among = stringAt(wanted, {"operator"}) == "In";
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    for (const auto& status : arrayAt(pod.status(), {list})) {
      if (!container.empty() && stringAt(status, {"name"}) != container) continue;
      const auto* ended = find(status, {"state", "terminated"});
      const auto code = ended == nullptr ? 0 : intAt(*ended, {"exitCode"});
      if (code == 0) continue;
      const auto& values = arrayAt(wanted, {"values"});
      const bool listed =
          std::any_of(values.begin(), values.end(), [&](const json::value& v) { return asInt(v) == code; });
      if (listed == among)
        return "Container " + std::string(stringAt(status, {"name"})) + " for pod " + pod.ns() + "/" + pod.name() +
               " failed with exit code " + std::to_string(code);
    }
  }
  return "";
}

std::string conditionMatch(const json::array& patterns, const Object& pod) {
  for (const auto& pattern : patterns) {
    const auto type = stringAt(pattern, {"type"});
    if (conditionIs(pod.status(), type, stringAt(pattern, {"status"}, "True")))
      return "Pod " + pod.ns() + "/" + pod.name() + " has condition " + std::string(type);
  }
  return "";
}

}  // namespace

FailureVerdict judgeFailure(const Object& job, const Object& pod) {
  const auto& rules = arrayAt(job.spec(), {"podFailurePolicy", "rules"});
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto* codes = find(rules[i], {"onExitCodes"});
    const auto found =
        codes != nullptr ? exitCodeMatch(*codes, pod) : conditionMatch(arrayAt(rules[i], {"onPodConditions"}), pod);
    if (found.empty()) continue;
    const auto action = stringAt(rules[i], {"action"});
    return {actionOf(action), found + " matching " + std::string(action) + " rule at index " + std::to_string(i)};
  }
  return {};
}

Duration failureDelay(std::int64_t failures) {
  if (failures <= 0) return Duration::zero();
  const auto doublings = std::min<std::int64_t>(failures - 1, 10);
  return std::min<Duration>(seconds(10) * (std::int64_t{1} << doublings), minutes(6));
}

std::optional<Time> createAgainAt(const Object& job, const std::vector<ObjectPtr>& pods, std::int64_t failures) {
  std::optional<Time> success, failure;
  auto later = [](std::optional<Time>& known, Time at) {
    if (!known || *known < at) known = at;
  };
  for (const auto& pod : pods)
    if (jobfacts::succeeded(*pod)) later(success, jobfacts::endOf(*pod));
  std::int64_t since = 0;
  for (const auto& pod : pods) {
    // A pod on its way out that is not tracked was stopped on purpose.
    if (!jobfacts::failed(job, *pod) || (pod->deleting() && !jobfacts::tracked(*pod))) continue;
    const auto at = jobfacts::endOf(*pod);
    if (success && at <= *success) continue;
    ++since;
    later(failure, at);
  }
  if (!failure) return std::nullopt;
  if (!success && intAt(job.status(), {"succeeded"}) == 0) since = std::max(since, failures);
  return *failure + failureDelay(since);
}

}  // namespace steer
