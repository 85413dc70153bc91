// Application: it is healthy when its commit is applied and all its objects are.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofApplication(const Object& application) {
  const auto phase = stringAt(application.status(), {"phase"});
  const auto said = stringAt(application.status(), {"message"});
  const auto because = [&](std::string_view fallback) { return std::string(said.empty() ? fallback : said); };
  if (boolAt(application.spec(), {"suspend"})) return healthy("suspended");
  if (phase == "Failed") return degraded(because("its commit could not be applied"));
  if (phase == "Degraded") return degraded(because("not all of its objects are healthy"));
  if (phase != "Synced") return progressing(because("its commit is not applied yet"));
  const auto health = stringAt(application.status(), {"health"});
  if (health == "degraded") return degraded(because("not all of its objects are healthy"));
  if (health == "progressing") return progressing(because("not all of its objects are healthy yet"));
  return healthy();
}

}  // namespace steer::health
