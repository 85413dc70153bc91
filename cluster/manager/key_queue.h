#pragma once
// KeyQueue: what is to be decided, and when. A key waits here once however often it was named; after
// a failure it waits longer each time; after writes it waits until they have been seen.
// Thread rule: one owner.
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/controller.h"

namespace steer {

/// The state in which a decision's writes will have been seen.
struct Barrier {
  std::map<std::string, std::uint64_t> revisions;           ///< by resource
  std::vector<std::pair<ObjectRef, std::string>> removals;  ///< with uid
  Time giveUp{};
  bool empty() const { return revisions.empty() && removals.empty(); }
};

class KeyQueue {
 public:
  struct Id {
    std::size_t controller = 0;
    Controller::Key key;
    auto operator<=>(const Id&) const = default;
  };

  void add(const Id& id);
  void addAt(const Id& id, Time when);
  /// 5 ms · 2ⁿ, at most 30 s.
  void retry(const Id& id, Time now);
  /// It decided that nothing is to be done.
  void succeeded(const Id& id);
  /// Its writes went through, and it is asked again when they have been seen: at once, unless it has written
  /// kRestless times in a row and still finds something to write. Then it waits, up to a second each time, so that
  /// no mistake keeps the whole cluster busy.
  void again(const Id& id, Time now);
  static constexpr unsigned kRestless = 300;
  void setBarrier(const Id& id, Barrier barrier);

  /// Timers that are due join the queue.
  void release(Time now);
  /// The next key whose barrier `passed` lets through; the others stay until unblock().
  template <class Passed>
  std::optional<Id> take(Passed&& passed) {
    while (!ready_.empty()) {
      Id id = std::move(ready_.front());
      ready_.pop_front();
      auto& state = states_[id];
      if (!state.barrier.empty() && !passed(state.barrier)) {
        blocked_.push_back(std::move(id));
        continue;
      }
      state.barrier = {};
      state.queued = false;
      return id;
    }
    return std::nullopt;
  }
  /// Something new was seen: blocked keys are looked at again.
  void unblock();
  bool hasReady() const { return !ready_.empty(); }
  bool hasBlocked() const { return !blocked_.empty(); }
  std::optional<Time> nextTimer() const;
  /// Forgets a key that has nothing to wait for.
  void settle(const Id& id);

 private:
  struct State {
    bool queued = false;
    unsigned failures = 0;
    unsigned streak = 0;  ///< decisions in a row that wrote
    std::optional<Time> due{};
    Barrier barrier{};
  };
  std::map<Id, State> states_;
  std::deque<Id> ready_;
  std::vector<Id> blocked_;
  std::set<std::pair<Time, Id>> timers_;
};

}  // namespace steer
