#include "core/clock.h"

#include <algorithm>

namespace steer {

Time SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

ManualClock::ManualClock() : micros_(std::int64_t{1767225600} * 1'000'000) {}

void ManualClock::advanceTo(Time t) {
  auto target = t.time_since_epoch().count();
  auto current = micros_.load();
  while (current < target && !micros_.compare_exchange_weak(current, target)) {
  }
}

Deadline::Deadline(Duration in) : end_(std::chrono::steady_clock::now() + in) {}

Duration Deadline::left() const {
  const auto left = std::chrono::duration_cast<Duration>(end_ - std::chrono::steady_clock::now());
  return std::max(left, Duration::zero());
}

int Deadline::pollMilliseconds() const {
  const auto left = this->left();
  if (left == Duration::zero()) return 0;
  return static_cast<int>(std::min<std::int64_t>(left.count() / 1000 + 1, 60'000));
}

}  // namespace steer
