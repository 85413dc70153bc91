// Namespace.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofNamespace(const Object& ns) {
  if (stringAt(ns.status(), {"phase"}) == "Terminating") return progressing("is being deleted");
  return healthy();
}

}  // namespace steer::health
