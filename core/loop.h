#pragma once
// Steppable loops. A loop does a bounded piece of work when told to and says when it next wants
// to be woken. In production a LoopThread drives it; in the simulator one seeded single-threaded
// driver with virtual time drives all of them.
// Thread rule: step() is called by one thread at a time; wake() may be called from any thread.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "core/clock.h"

namespace steer {

/// Called from any thread when there is new work; must be cheap and must not call back into the
/// thing that calls it.
using Waker = std::function<void()>;

class Loop {
 public:
  /// When to step again, unless woken earlier.
  struct Next {
    std::optional<Time> at;  ///< nothing = only when woken; a time in the past = at once
  };

  virtual ~Loop() = default;
  virtual std::string_view name() const = 0;
  /// Does a bounded piece of work.
  virtual Next step(Time now) = 0;
  /// A step threw and may have lost what it had taken in: look at everything again.
  virtual void recover() {}

  /// Set once by the driver before the first step.
  void setWaker(Waker waker);
  /// Asks the driver for a step soon. Thread-safe; harmless without a driver.
  void wake();
  /// A waker for this loop that stays safe to call after the loop is gone.
  Waker wakerForMe();

 protected:
  static Next again(Time now) { return {now}; }
  static Next idle() { return {}; }
  static Next at(Time t) { return {t}; }

 private:
  struct Shared {
    std::mutex mutex;
    Waker waker;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

/// Steps a loop behind a barrier: a step that throws is logged, and tried again after 1, 2, 4 … at most 60 seconds.
/// Thread rule: one owner.
class GuardedLoop {
 public:
  explicit GuardedLoop(Loop& loop) : loop_(loop) {}
  Loop::Next step(Time now);

 private:
  Loop& loop_;
  int failures_ = 0;
};

/// Drives one Loop on a thread of its own until stopped. The loop must outlive it.
class LoopThread {
 public:
  LoopThread(Loop& loop, const Clock& clock);
  ~LoopThread();  ///< stops and joins
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  /// Asks for the end without waiting.
  void stop();

 private:
  void run();

  /// Shared with wakers that other threads may still hold.
  struct Signal {
    std::mutex mutex;
    std::condition_variable cv;
    bool woken = true;
    bool stopping = false;
  };

  Loop& loop_;
  const Clock& clock_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::thread thread_;
};

}  // namespace steer
