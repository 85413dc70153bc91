// PersistentVolumeClaim.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofClaim(const Object& claim) {
  const auto phase = stringAt(claim.status(), {"phase"});
  if (phase == "Bound") return healthy();
  if (phase == "Lost") return degraded("its volume is lost");
  return progressing("not bound to a volume yet");
}

}  // namespace steer::health
