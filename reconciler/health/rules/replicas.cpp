// ReplicaSet and ReplicationController.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofReplicas(const Object& o) {
  if (notObserved(o)) return progressing("the controller has not seen the newest specification yet");
  if (conditionIs(o, "ReplicaFailure", "True"))
    return degraded(messageOf(o, "ReplicaFailure", "pods cannot be created"));
  const auto want = intAt(o.spec(), {"replicas"}, 1);
  const auto available = intAt(o.status(), {"availableReplicas"});
  const auto total = intAt(o.status(), {"replicas"});
  if (available < want) return progressing(countText(available, want, "available"));
  if (total > want)
    return progressing(countOf(total - want, "surplus replica") + (total - want == 1 ? " is" : " are") +
                       " being removed");
  return healthy();
}

}  // namespace steer::health
