#pragma once
// Client: the one way to the cluster for everyone but the API server itself. Two implementations:
// in process (handlers called directly, no serialisation) and HTTP.
// Thread rule: thread-safe. Calls block until the server answered; writes are durable on return.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cluster/client/observation.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/result.h"
#include "core/selector.h"
#include "core/write.h"

namespace steer {

struct ListOptions {
  std::string ns;             ///< empty = all namespaces
  std::string labelSelector;  ///< text form
  std::string fieldSelector;  ///< text form
  std::uint64_t limit = 0;    ///< 0 = all
  std::string continueToken;
};

struct ObjectList {
  std::vector<ObjectPtr> items;
  std::uint64_t revision = 0;  ///< watch from here
  std::string continueToken;
};

struct WatchEvent {
  enum class Type { added, modified, deleted, bookmark, error };
  Type type = Type::added;
  ObjectPtr object;  ///< null for bookmark and error
  std::uint64_t revision = 0;
  std::optional<Error> error{};  ///< type error only; Errc::gone = list again
};

/// A stream of events in revision order. Destroying it ends the watch.
class Watch {
 public:
  virtual ~Watch() = default;
  /// The next event if one is there; never blocks.
  virtual std::optional<WatchEvent> poll() = 0;
  /// No event will come any more (after an error event, or the connection ended).
  virtual bool closed() const = 0;
};

/// What a batch does when a write is refused. undo: nothing of it is kept; it is one transaction, with all that it
/// checks (resourceVersion, uid), and what was not to blame answers Errc::cancelled.
enum class OnError { stop, proceed, undo };

/// What comes back of what a batch wrote. brief: apiVersion, kind and the identity in metadata (name,
/// namespace, uid, resourceVersion, generation); briefCreated: that for new objects, the whole of others.
enum class Answer { full, briefCreated, brief };

struct BatchOptions {
  OnError onError = OnError::proceed;
  /// Runs everything on a fork of the cluster: later writes see earlier ones, nothing is kept.
  bool dryRun = false;
  Answer answer = Answer::full;
};

class Client {
 public:
  virtual ~Client() = default;
  virtual Result<ObjectPtr> get(const ObjectRef& ref) = 0;
  virtual Result<ObjectList> list(const std::string& resource, const ListOptions& options) = 0;
  /// Events after `fromRevision` (0 = list first, then follow). The waker is called when events arrive.
  virtual Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options,
                                               std::uint64_t fromRevision, Waker waker) = 0;
  /// The object after the write; for removal its last state; null where the server answers a Status.
  virtual Result<ObjectPtr> write(const Write& write) = 0;
  /// Executes in order as one durable group. One result per write; after a failure with
  /// OnError::stop the rest are Errc::cancelled.
  virtual std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) = 0;
  /// How objects live that a source asks for, from one snapshot. Errors: those of list and get.
  virtual Result<Observation> observe(const ObserveRequest& request) = 0;
};

/// Resources that an application can own: those with list and delete.
std::vector<std::string> ownableResources();

}  // namespace steer
