#pragma once
// Puts faults into barriers by their name (core/barrier.h). Thread rule: one at a time; the places may be on any
// thread.
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/barrier.h"
#include "core/log.h"

namespace steer::faulttest {

enum class Thrown { exception, noMemory };
inline constexpr Thrown kThrown[] = {Thrown::exception, Thrown::noMemory};

/// The text by which a condition names it.
inline std::string textOf(Thrown what) { return what == Thrown::noMemory ? "out of memory" : "injected"; }

/// The next `times` passes of places for which `holds` throw.
class Injection {
 public:
  Injection(std::function<bool(std::string_view place)> holds, Thrown what, int times = 1)
      : left_(std::make_shared<std::atomic<int>>(times)) {
    log::setLevel(log::Level::off);
    barrier::setInjection([left = left_, holds = std::move(holds), what](std::string_view place) {
      if (*left <= 0 || !holds(place) || left->fetch_sub(1) <= 0) return;
      if (what == Thrown::noMemory) throw std::bad_alloc();
      throw std::runtime_error("injected");
    });
  }
  Injection(const std::string& place, Thrown what, int times = 1)
      : Injection([place](std::string_view at) { return at.starts_with(place); }, what, times) {}
  ~Injection() { barrier::setInjection(nullptr); }
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  bool done() const { return *left_ <= 0; }

 private:
  std::shared_ptr<std::atomic<int>> left_;
};

}  // namespace steer::faulttest
