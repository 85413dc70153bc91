// Service: one of type LoadBalancer waits for its address, the others serve at once.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofService(const Object& service) {
  if (stringAt(service.spec(), {"type"}) == "LoadBalancer" &&
      arrayAt(service.status(), {"loadBalancer", "ingress"}).empty())
    return progressing("waiting for an address of the load balancer");
  return healthy();
}

}  // namespace steer::health
