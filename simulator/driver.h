#pragma once
// Driver: steps any number of loops in one thread and virtual time, in an order drawn from a seed.
// Thread rule: single-threaded.
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"

namespace steer {

class Driver {
 public:
  Driver(ManualClock& clock, std::uint64_t seed);
  ~Driver();

  void add(Loop& loop);
  /// The loop is about to go away.
  void remove(Loop& loop);
  /// Called between any two steps; may change the world (faults, checks).
  void setBetweenSteps(std::function<void()> f) { between_ = std::move(f); }

  /// Asked now and then; once it says yes, settle() and advance() end, and return false.
  void setExpired(std::function<bool()> f) { expired_ = std::move(f); }

  /// Steps until no loop has anything to do at this instant. False = it did not come to rest
  /// within the budget (a livelock); the names of the busy loops are in busy().
  bool settle(std::size_t budget = 200'000);
  /// Moves time forward, stopping at every timer on the way.
  bool advance(Duration by, std::size_t budget = 2'000'000);
  std::size_t steps() const { return steps_; }
  std::string busy() const;
  std::mt19937_64& chance() { return chance_; }

 private:
  struct Entry;
  void stepOne(std::size_t index);
  std::optional<Time> nextTimer() const;

  ManualClock& clock_;
  std::mt19937_64 chance_;
  std::vector<std::shared_ptr<Entry>> entries_;
  std::function<void()> between_;
  std::function<bool()> expired_;
  std::size_t steps_ = 0;
};

}  // namespace steer
