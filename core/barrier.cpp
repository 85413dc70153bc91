#include "core/barrier.h"

#include <poll.h>

#include <atomic>
#include <exception>
#include <memory>
#include <new>

#include "core/log.h"
#include "core/sync.h"

namespace steer::barrier {
namespace {

using Injection = std::function<void(std::string_view)>;

struct Board {
  std::map<std::string, Fault, std::less<>> failing;
  std::shared_ptr<const Injection> injection;
};

Sync<Board>& board() {
  static Sync<Board> instance;
  return instance;
}

/// Most work ends well, and nothing failed before: that costs no lock.
std::atomic<bool> watched{false};

void inject(std::string_view place) {
  const auto injection = board().with([](const Board& b) { return b.injection; });
  if (injection) (*injection)(place);
}

/// May throw itself: there may be no memory to say what is wrong.
Fault note(std::string_view place, const char* what) {
  watched = true;
  const auto fault = board().with([&](Board& b) {
    auto it = b.failing.find(place);
    if (it == b.failing.end()) it = b.failing.emplace(std::string(place), Fault{}).first;
    it->second.what = what;
    ++it->second.times;
    return it->second;
  });
  log::error("a fault is contained; the rest goes on",
             {{"in", std::string(place)}, {"error", what}, {"times", std::to_string(fault.times)}});
  return fault;
}

Fault noteSafely(std::string_view place, const char* what) noexcept {
  try {
    return note(place, what);
  } catch (...) {
    return {"out of memory", 1};  // short enough to need none
  }
}

}  // namespace

std::optional<Fault> run(std::string_view place, const std::function<void()>& work) noexcept {
  try {
    if (watched) inject(place);
    work();
    if (watched)
      board().with([&](Board& b) {
        if (const auto it = b.failing.find(place); it != b.failing.end()) b.failing.erase(it);
      });
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return noteSafely(place, "out of memory");
  } catch (const std::exception& e) {
    return noteSafely(place, e.what());
  } catch (...) {
    return noteSafely(place, "an exception without a text");
  }
}

void keepRunning(std::string_view place, const std::function<void()>& work) noexcept {
  constexpr int kMoment = 100;  // milliseconds
  while (run(place, work)) (void)::poll(nullptr, 0, kMoment);
}

std::map<std::string, Fault, std::less<>> faults() {
  return board().with([](const Board& b) { return b.failing; });
}

std::string faultText(std::string_view place, const Fault& fault) {
  return "a fault in " + std::string(place) + ": " + fault.what + " (" + std::to_string(fault.times) +
         (fault.times == 1 ? " time" : " times in a row") + "); the rest goes on; please report it";
}

void setInjection(std::function<void(std::string_view place)> injection) {
  auto shared = injection ? std::make_shared<const Injection>(std::move(injection)) : nullptr;
  board().with([&](Board& b) { b.injection = std::move(shared); });
  watched = true;
}

}  // namespace steer::barrier
