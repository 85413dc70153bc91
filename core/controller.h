#pragma once
// Controller: a pure function (snapshot, key, now) → decision. It reads values and returns values;
// the manager (cluster/manager) feeds it, executes what it asks for, and calls again when anything
// it watches changed. Level-based: ten events may arrive as one. Thread rule: stateless.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "core/write.h"

namespace steer {

/// An event for people, recorded as a v1 Event (aggregated by the manager).
struct EventNote {
  ObjectPtr about;
  std::string type = "Normal";              ///< Normal | Warning
  std::string reason;                       ///< CamelCase
  std::string message;                      ///< "{name}" stands for the name of the object that afterWrite wrote
  std::optional<std::size_t> afterWrite{};  ///< index in writes: recorded only when that write succeeded
};

/// What must be so on the server, beyond what a lagging snapshot shows, before anything is written.
struct Proviso {
  ObjectRef absent;  ///< an empty name: the namespace holds no object of this resource
  std::string uid;   ///< an object of that name with another uid counts as absent
  auto operator<=>(const Proviso&) const = default;
};

/// A run of writes that upstream's controllers begin in batches of 1, 2, 4, …: where one of a batch is refused, the
/// others of that batch are still tried, and what comes after the batch is not. When nothing is refused the batches do
/// not show: all of it is one transaction.
struct SlowStart {
  std::size_t first = 0;  ///< index in Decision::writes
  std::size_t count = 0;
  /// One past the last write of the batch that holds this one; nothing when the write is not of the run.
  std::optional<std::size_t> batchEnd(std::size_t write) const {
    if (write < first || write - first >= count) return std::nullopt;
    std::size_t end = 1;
    for (std::size_t size = 2; write - first >= end; size *= 2) end += size;
    return first + std::min(end, count);
  }
};

struct Decision {
  /// Asked of the server first; when one does not hold, nothing is written and the key is tried again.
  std::vector<Proviso> provided;
  /// Executed in order; the first failure ends the list and the key is tried again with back-off.
  std::vector<Write> writes;
  SlowStart slowStart{};
  std::vector<EventNote> events;
  /// Ask again at this time although nothing may have changed.
  std::optional<Time> recheck;
};

class Controller {
 public:
  struct Key {
    std::string ns;
    std::string name;
    auto operator<=>(const Key&) const = default;
  };

  virtual ~Controller() = default;
  virtual std::string_view name() const = 0;
  /// Resources whose changes matter: the manager watches these.
  virtual std::vector<std::string> resources() const = 0;
  /// Keys to decide anew because this object changed; before or after is null for an addition or
  /// a deletion. The snapshot already holds the new state.
  virtual std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                                   const ObjectPtr& after) const = 0;
  virtual Decision decide(const Snapshot& snapshot, const Key& key, Time now) const = 0;
  /// What to record because the server refused a write of a decision about this key.
  virtual Decision refused(const Snapshot& /*snapshot*/, const Key& /*key*/, const Write& /*write*/,
                           const Error& /*error*/, Time /*now*/) const {
    return {};
  }
};

}  // namespace steer
