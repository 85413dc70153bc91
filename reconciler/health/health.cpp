#include "reconciler/health/health.h"

#include <algorithm>

#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"
#include "schemas/served.h"

namespace steer {

Health assessHealth(const Object& object) {
  if (object.deleting()) return {HealthState::progressing, "is being deleted"};
  if (object.annotation("steersman.dev/health") == "ignore") return health::healthy("its health is not looked at");
  if (const auto* kind = SchemaRegistry::builtin().find(object.gvk()))
    if (auto unserved = unservedText(*kind); !unserved.empty()) return health::degraded(std::move(unserved));
  if (const auto rule = healthRuleFor(object.gvk().group, object.kind())) return rule(object);
  return health::byConditions(object);
}

const char* healthName(HealthState state) {
  switch (state) {
    case HealthState::healthy:
      return "healthy";
    case HealthState::progressing:
      return "progressing";
    case HealthState::degraded:
      return "degraded";
  }
  return "unknown";
}

HealthState worse(HealthState a, HealthState b) { return std::max(a, b); }

}  // namespace steer
