// Anything with status.conditions, by the words that most kinds use.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {
namespace {

/// The condition was written about an older specification.
bool stale(const Object& object, const json::object& condition) {
  const auto* observed = condition.if_contains("observedGeneration");
  return observed != nullptr && asInt(*observed).value_or(0) < object.generation();
}

}  // namespace

Health byConditions(const Object& object) {
  if (find(object.status(), {"observedGeneration"}) != nullptr && notObserved(object))
    return progressing("the newest specification has not been seen yet");
  for (const char* bad : {"Failed", "Stalled", "Degraded"})
    if (conditionIs(object, bad, "True")) return degraded(messageOf(object, bad, bad));
  if (conditionIs(object, "Reconciling", "True"))
    return progressing(messageOf(object, "Reconciling", "is being reconciled"));
  for (const char* good : {"Ready", "Available"}) {
    const auto* condition = conditionOf(object, good);
    if (condition == nullptr) continue;
    if (stale(object, *condition)) return progressing("the newest specification has not been seen yet");
    if (conditionIs(object, good, "True")) return healthy();
    return progressing(messageOf(object, good, std::string(good) + " is not true yet"));
  }
  if (conditionIs(object, "Progressing", "True"))
    return progressing(messageOf(object, "Progressing", "is making progress"));
  return healthy();
}

}  // namespace steer::health
