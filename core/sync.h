#pragma once
// Sync<T>: data reachable only through its lock. No callback runs while a lock is held by
// convention; keep the guarded region short.
#include <condition_variable>
#include <mutex>
#include <utility>

namespace steer {

template <class T>
class Sync {
 public:
  Sync() = default;
  explicit Sync(T value) : value_(std::move(value)) {}

  class Locked {
   public:
    Locked(std::mutex& m, T& v) : lock_(m), value_(v) {}
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    /// Waits until pred(value) holds; pred runs under the lock.
    template <class Pred>
    void wait(std::condition_variable& cv, Pred pred) {
      cv.wait(lock_, [&] { return pred(value_); });
    }
    template <class TimePoint, class Pred>
    bool waitUntil(std::condition_variable& cv, TimePoint until, Pred pred) {
      return cv.wait_until(lock_, until, [&] { return pred(value_); });
    }

   private:
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Locked lock() { return Locked(mutex_, value_); }
  /// Runs f(value) under the lock and returns its result.
  template <class F>
  decltype(auto) with(F&& f) {
    std::lock_guard guard(mutex_);
    return std::forward<F>(f)(value_);
  }
  template <class F>
  decltype(auto) with(F&& f) const {
    std::lock_guard guard(mutex_);
    return std::forward<F>(f)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

}  // namespace steer
