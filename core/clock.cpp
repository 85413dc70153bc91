#include "core/clock.h"

namespace steer {

Time SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

ManualClock::ManualClock() : micros_(std::int64_t{1767225600} * 1'000'000) {}

void ManualClock::advanceTo(Time t) {
  auto target = t.time_since_epoch().count();
  auto current = micros_.load();
  while (current < target && !micros_.compare_exchange_weak(current, target)) {
  }
}

}  // namespace steer
