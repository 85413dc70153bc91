#include "cluster/controllers/pod_facts.h"

#include <algorithm>

#include "cluster/controllers/conditions.h"
#include "core/rfc3339.h"

namespace steer::podfacts {

bool terminal(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  return phase == "Succeeded" || phase == "Failed";
}

bool active(const Object& pod) { return !terminal(pod) && !pod.deleting(); }

bool ready(const Object& pod) { return conditionIs(pod.status(), "Ready", "True"); }

std::optional<Time> readySince(const Object& pod) {
  const auto* condition = findCondition(pod.status(), "Ready");
  if (condition == nullptr || stringAt(*condition, {"status"}) != "True") return std::nullopt;
  const auto since = parseTime(stringAt(*condition, {"lastTransitionTime"}));
  return since ? since : pod.created();
}

std::optional<Time> availableAt(const Object& pod, std::int64_t minReadySeconds) {
  if (!ready(pod)) return std::nullopt;
  if (minReadySeconds <= 0) return Time{};
  const auto since = readySince(pod);
  if (!since) return std::nullopt;
  return *since + seconds(minReadySeconds);
}

std::int64_t restarts(const Object& pod) {
  std::int64_t most = 0;
  for (const auto& status : arrayAt(pod.status(), {"containerStatuses"}))
    most = std::max(most, intAt(status, {"restartCount"}));
  return most;
}

}  // namespace steer::podfacts
