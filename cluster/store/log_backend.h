#pragma once
// LogBackend: where the store's revisions lie. SQLite on disk, or memory for the simulator (which
// can fail on command). Thread rule: thread-safe; reading and compacting go on beside appending.
// Failure rule: a failed append left nothing behind, and the next one may succeed.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/gvk.h"
#include "core/result.h"

namespace steer {

struct LogRecord {
  std::uint64_t revision = 0;
  bool removed = false;
  ObjectRef target;
  std::string body;            ///< JSON text without its revision; empty for a removal
  std::uint64_t previous = 0;  ///< the revision this one takes the place of; 0 = the object was new
};

class LogBackend {
 public:
  virtual ~LogBackend() = default;
  /// Durable on return, all or nothing. Revisions are consecutive.
  virtual Result<void> append(const std::vector<LogRecord>& records) = 0;
  /// Calls visit for each live object (in any order) and returns the last revision.
  virtual Result<std::uint64_t> loadState(const std::function<void(LogRecord)>& visit) = 0;
  /// Records after `after`, at most `limit`, in order. Complete only above compactedRevision().
  virtual Result<std::vector<LogRecord>> read(std::uint64_t after, std::size_t limit) = 0;
  /// The record of one revision: there is one for every `previous` of a record that read() gives.
  virtual Result<std::optional<LogRecord>> at(std::uint64_t revision) = 0;
  /// Forgets records that were replaced, and removals, at or before `upTo`, a little at a time:
  /// returns the revision up to which it has come; call again until that is `upTo`.
  virtual Result<std::uint64_t> compact(std::uint64_t upTo) = 0;
  virtual Result<std::uint64_t> compactedRevision() = 0;
  /// The newest revision that is known to have been acknowledged, by a note beside the log; 0 = nothing is known.
  /// More than loadState() returns: the end of the log is lost.
  virtual std::uint64_t acknowledged() const { return 0; }
  /// Whether there is enough housekeeping to do by now.
  virtual bool wantsTidy() const { return false; }
  /// Housekeeping that does not hold up appends; called by the store when wanted.
  virtual Result<void> tidy() { return {}; }
};

/// Opens or creates D/state.db (WAL, synchronous=FULL). Errors: io with the path and what to do;
/// unavailable when another process has it open.
Result<std::unique_ptr<LogBackend>> openSqliteLog(const std::string& path);

/// Memory with faults on command; the "disk" outlives the backend, so a crash can be simulated.
class MemoryDisk;
std::shared_ptr<MemoryDisk> makeMemoryDisk();
/// The next `count` appends fail with Errc::io after `afterOk` good ones.
void failAppends(MemoryDisk& disk, std::size_t afterOk, std::size_t count);
std::unique_ptr<LogBackend> openMemoryLog(std::shared_ptr<MemoryDisk> disk);

}  // namespace steer
