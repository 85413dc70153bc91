// Deployment: as `kubectl rollout status` sees it.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofDeployment(const Object& d) {
  if (boolAt(d.spec(), {"paused"})) return healthy("paused");
  if (notObserved(d)) return progressing("the controller has not seen the newest specification yet");
  if (const auto* condition = conditionOf(d, "Progressing");
      condition != nullptr && stringAt(*condition, {"reason"}) == "ProgressDeadlineExceeded")
    return degraded(messageOf(d, "Progressing", "the rollout made no progress within its deadline"));
  if (conditionIs(d, "ReplicaFailure", "True"))
    return degraded(messageOf(d, "ReplicaFailure", "pods cannot be created"));
  const auto want = intAt(d.spec(), {"replicas"}, 1);
  const auto updated = intAt(d.status(), {"updatedReplicas"});
  const auto total = intAt(d.status(), {"replicas"});
  const auto available = intAt(d.status(), {"availableReplicas"});
  if (updated < want) return progressing(countText(updated, want, "of the newest version"));
  if (total > updated)
    return progressing(countOf(total - updated, "replica") + " of older versions " +
                       (total - updated == 1 ? "remains" : "remain"));
  if (available < want) return progressing(countText(available, want, "available"));
  return healthy();
}

}  // namespace steer::health
