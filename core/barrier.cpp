#include "core/barrier.h"

#include <poll.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <new>

#include "core/log.h"
#include "core/sync.h"

namespace steer::barrier {
namespace {

using Injection = std::function<void(std::string_view)>;
using Steady = std::chrono::steady_clock;

/// A thread that has run for so long is well again. Work that is tried again fails again much sooner than the longer of
/// these; so what is older is of work that nobody wants any more.
constexpr std::chrono::seconds kThreadIsWell{60}, kForgotten{300};

struct Entry {
  Fault fault;
  Steady::time_point clearAt{};  ///< or sooner, when work ends well there

  bool over() const { return clearAt <= Steady::now(); }
};

struct Board {
  std::map<std::string, Entry, std::less<>> failing;
  std::string newest;
  std::shared_ptr<const Injection> injection;
};

enum class Clears { byWork, byTime };

Sync<Board>& board() {
  static Sync<Board> instance;
  return instance;
}

/// Most work ends well, and nothing failed before: that costs no lock.
std::atomic<bool> watched{false};
std::atomic<std::uint64_t> total{0};

void inject(std::string_view place) {
  const auto injection = board().with([](const Board& b) { return b.injection; });
  if (injection) (*injection)(place);
}

/// May throw itself: there may be no memory to say what is wrong.
Fault note(std::string_view place, const char* what, Clears clears) {
  watched = true;
  const auto fault = board().with([&](Board& b) {
    auto it = b.failing.find(place);
    if (it == b.failing.end()) it = b.failing.emplace(std::string(place), Entry{}).first;
    auto& entry = it->second;
    if (entry.over()) entry.fault.times = 0;
    entry.fault.what = what;
    ++entry.fault.times;
    entry.clearAt = Steady::now() + (clears == Clears::byTime ? kThreadIsWell : kForgotten);
    b.newest = faultText(place, entry.fault);
    return entry.fault;
  });
  log::error("a fault is contained; the rest goes on",
             {{"in", std::string(place)}, {"error", what}, {"times", std::to_string(fault.times)}});
  return fault;
}

Fault noteSafely(std::string_view place, const char* what, Clears clears) noexcept {
  ++total;
  try {
    return note(place, what, clears);
  } catch (...) {
    return {"out of memory", 1};  // short enough to need none
  }
}

std::optional<Fault> attempt(std::string_view place, const std::function<void()>& work, Clears clears) noexcept {
  try {
    if (watched) inject(place);
    work();
    forget(place);
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return noteSafely(place, "out of memory", clears);
  } catch (const std::exception& e) {
    return noteSafely(place, e.what(), clears);
  } catch (...) {
    return noteSafely(place, "an exception without a text", clears);
  }
}

}  // namespace

std::optional<Fault> run(std::string_view place, const std::function<void()>& work) noexcept {
  return attempt(place, work, Clears::byWork);
}

void keepRunning(std::string_view place, const std::function<void()>& work) noexcept {
  constexpr int kMoment = 100;  // milliseconds
  while (attempt(place, work, Clears::byTime)) (void)::poll(nullptr, 0, kMoment);
}

std::map<std::string, Fault, std::less<>> faults() {
  return board().with([](const Board& b) {
    std::map<std::string, Fault, std::less<>> out;
    for (const auto& [place, entry] : b.failing)
      if (!entry.over()) out.emplace(place, entry.fault);
    return out;
  });
}

void forget(std::string_view place) {
  if (!watched) return;
  board().with([&](Board& b) {
    if (const auto it = b.failing.find(place); it != b.failing.end()) b.failing.erase(it);
  });
}

std::uint64_t count() { return total; }

std::string newest() {
  return board().with([](const Board& b) { return b.newest; });
}

std::string summary() {
  constexpr std::size_t kShown = 5;
  const auto all = faults();
  std::string out;
  std::size_t shown = 0;
  for (const auto& [place, fault] : all) {
    if (shown++ == kShown) break;
    out += (out.empty() ? "" : "; ") + place + ": " + fault.what + " (" + std::to_string(fault.times) + "x)";
  }
  if (all.size() > kShown) out += "; and " + std::to_string(all.size() - kShown) + " more";
  return out;
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
