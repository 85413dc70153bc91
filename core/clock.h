#pragma once
// Time as a value. `now` is an argument or comes from a Clock; the real clock is named in
// clock.cpp only. Thread rule: Clock implementations are thread-safe.
#include <atomic>
#include <chrono>
#include <cstdint>

namespace steer {

using Duration = std::chrono::microseconds;
using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The machine's wall clock.
class SystemClock final : public Clock {
 public:
  Time now() const override;
};

/// Virtual time for tests and the simulator. Starts at 2026-01-01T00:00:00Z.
class ManualClock final : public Clock {
 public:
  ManualClock();
  Time now() const override { return Time{Duration{micros_.load()}}; }
  void advance(Duration by) { micros_ += by.count(); }
  /// Never moves backwards.
  void advanceTo(Time t);

 private:
  std::atomic<std::int64_t> micros_;
};

/// The end of a wait on something outside this process (a socket, a child), on the machine's
/// monotonic clock: such waits have no virtual time.
class Deadline {
 public:
  explicit Deadline(Duration in);
  Duration left() const;  ///< never negative
  bool passed() const { return left() == Duration::zero(); }
  /// left() for poll(2), rounded up.
  int pollMilliseconds() const;

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace steer
