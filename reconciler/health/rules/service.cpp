// Service: one of type LoadBalancer waits for its address where something is named that gives one; nothing here does by
// itself. The others serve at once.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofService(const Object& service) {
  if (stringAt(service.spec(), {"type"}) == "LoadBalancer" &&
      arrayAt(service.status(), {"loadBalancer", "ingress"}).empty()) {
    if (const auto provider = stringAt(service.spec(), {"loadBalancerClass"}); !provider.empty())
      return progressing("waiting for an address of the load balancer " + std::string(provider));
    return degraded(
        "no load balancer is there that would give it an address; its node ports serve: "
        "annotate steersman.dev/health: ignore if that is enough");
  }
  return healthy();
}

}  // namespace steer::health
