#pragma once
// LogBackend: where the store's revisions lie. SQLite on disk, or memory for the simulator (which
// can fail on command). Thread rule: one caller at a time.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/gvk.h"
#include "core/result.h"

namespace steer {

struct LogRecord {
  std::uint64_t revision = 0;
  bool removed = false;
  ObjectRef target;
  std::string body;  ///< JSON text; for a removal the last state
};

class LogBackend {
 public:
  virtual ~LogBackend() = default;
  /// Durable on return, all or nothing. Revisions are increasing.
  virtual Result<void> append(const std::vector<LogRecord>& records) = 0;
  /// Calls visit for each live object (in revision order) and returns the last revision.
  virtual Result<std::uint64_t> loadState(const std::function<void(LogRecord)>& visit) = 0;
  /// Records after `after`, at most `limit`, in order.
  virtual Result<std::vector<LogRecord>> read(std::uint64_t after, std::size_t limit) = 0;
  virtual Result<void> compact(std::uint64_t upTo) = 0;
  virtual Result<std::uint64_t> compactedRevision() = 0;
};

/// Opens or creates D/state.db (WAL, synchronous=FULL). Errors: io with the path and what to do.
Result<std::unique_ptr<LogBackend>> openSqliteLog(const std::string& path);

/// Memory with faults on command; the "disk" outlives the backend, so a crash can be simulated.
class MemoryDisk;
std::shared_ptr<MemoryDisk> makeMemoryDisk();
/// The next `count` appends fail with Errc::io after `afterOk` good ones.
void failAppends(MemoryDisk& disk, std::size_t afterOk, std::size_t count);
std::unique_ptr<LogBackend> openMemoryLog(std::shared_ptr<MemoryDisk> disk);

}  // namespace steer
