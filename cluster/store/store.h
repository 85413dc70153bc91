#pragma once
// Store: the durable, ordered truth. An append-only log of revisions with the current state in
// memory as immutable snapshots. Only cluster/apiserver includes this.
// Thread rule: thread-safe. Failure rule: a failed commit changed nothing and used no revision that
// a reader could have seen; an acknowledged commit survives kill -9.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/store/log_backend.h"
#include "core/loop.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace steer {

struct Mutation {
  enum class Kind { put, remove };
  Kind kind = Kind::put;
  ObjectRef target;
  json::object body{};                        ///< put only; the store sets metadata.resourceVersion
  std::optional<std::uint64_t> ifRevision{};  ///< 0 = must not exist; nothing = unconditional
};

struct Committed {
  std::uint64_t revision = 0;
  ObjectPtr object;  ///< the new state; for a removal the last state, with the removal's revision
};

struct StoreEvent {
  enum class Type { added, modified, deleted };
  Type type = Type::added;
  std::uint64_t revision = 0;
  std::string resource;
  ObjectPtr before;  ///< null for added
  ObjectPtr after;   ///< for deleted: the last state, with the removal's revision
};

/// Which events a watch wants. A watcher is neither woken nor charged for the others, so a thousand
/// nodes that each follow their own pods cost no more than one that follows them all.
/// An event passes when its state before or after passes: a watcher sees objects leave, too.
struct WatchFilter {
  std::string ns;                         ///< empty = all namespaces
  std::string name;                       ///< metadata.name; empty = all
  std::optional<std::string> nodeName{};  ///< spec.nodeName; "" = only objects without one

  bool matches(const Object& object) const;
  bool matches(const StoreEvent& event) const;
};

/// Events of one resource after a revision: no gap, no duplicate. Destroying it ends the watch.
/// The waker must stay safe to call for a moment after that.
class StoreWatch {
 public:
  virtual ~StoreWatch() = default;
  /// nullopt = nothing new. Error Errc::gone = fell behind the compaction; the watch is over.
  virtual Result<std::optional<StoreEvent>> poll() = 0;
  /// The revision up to which everything has been delivered (for bookmarks).
  virtual std::uint64_t progress() const = 0;
};

struct StoreOptions {
  /// A log that ends before a revision that was acknowledged: damaged, or older than what was here. accept: goes on
  /// with what is there, and with numbers that were never given out.
  enum class LostEnd { refuse, accept } lostEnd = LostEnd::refuse;
  /// Events kept in memory for watches; older ones are read from the log until compaction.
  std::size_t eventWindow = 4096;
  /// The same limit as bytes of JSON text of the objects in those events.
  std::size_t eventWindowBytes = 4 * 1024 * 1024;
  /// Keep at least this many revisions when compacting by itself; 0 = never compact by itself.
  std::uint64_t retainRevisions = 100'000;
  /// true: everything runs in the calling thread (simulator, forks). false: concurrent commits share
  /// one durable group, written by the first of them, and a thread compacts in the background.
  bool inlineCommit = false;
};

class Store {
 public:
  /// Reads the log's state into memory.
  static Result<std::unique_ptr<Store>> open(std::unique_ptr<LogBackend> log, StoreOptions options);
  virtual ~Store() = default;

  /// One transaction: all or nothing; each mutation gets its own revision, consecutive. Returns
  /// after it is durable. Errors: conflict (ifRevision), alreadyExists (ifRevision 0), notFound
  /// (remove of nothing), io (disk full or failing: nothing was done), tooLarge (object > 1.5 MB).
  virtual Result<std::vector<Committed>> commit(std::vector<Mutation> mutations) = 0;
  /// The durable state. O(1).
  virtual Snapshot snapshot() const = 0;
  virtual std::uint64_t revision() const = 0;
  virtual std::uint64_t compactedRevision() const = 0;
  /// Errors: gone when fromRevision < compactedRevision().
  virtual Result<std::unique_ptr<StoreWatch>> watch(const std::string& resource, std::uint64_t fromRevision,
                                                    Waker waker, WatchFilter filter = {}) = 0;
  /// Forgets history up to and including the revision (not the current state).
  virtual Result<void> compact(std::uint64_t upTo) = 0;
  /// An in-memory store that starts as this snapshot; nothing written to it is kept.
  static std::unique_ptr<Store> fork(const Snapshot& snapshot);
};

}  // namespace steer
