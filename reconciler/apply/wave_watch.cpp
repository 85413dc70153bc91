#include "reconciler/apply/wave_watch.h"

#include "reconciler/plan/ran_once.h"
#include "schemas/schema.h"

namespace steer {

void WaveWatch::add(const PlannedChange& change, const ObjectPtr& result) {
  const auto* kind = SchemaRegistry::builtin().find(change.gvk);
  if (kind != nullptr && kind->served && kind->subresource("status") == nullptr) return;  // it is what was written
  open_.push_back(
      {change.ref, change.text(), result != nullptr, goesByItself(change.wanted), result ? result->revision() : 0});
}

Health WaveWatch::look(const LookUp& lookUp) {
  return look(lookUp, [](const ObjectRef&) { return false; });
}

Health WaveWatch::look(const LookUp& lookUp, const std::function<bool(const ObjectRef&)>& gone) {
  Health worst;
  std::vector<Item> left;
  for (auto& item : open_) {
    const auto object = lookUp(item.ref);
    if (!object && item.goes && gone(item.ref)) continue;
    const bool seen = object && object->revision() >= item.revision;
    auto health = seen ? assessHealth(*object) : Health{HealthState::progressing, "not seen yet"};
    if (health.state == HealthState::healthy) continue;
    if (health.state == HealthState::degraded && !item.changed) continue;
    if (worst.state < health.state) worst = {health.state, item.text + ": " + health.reason};
    left.push_back(std::move(item));
  }
  open_ = std::move(left);
  return worst;
}

}  // namespace steer
