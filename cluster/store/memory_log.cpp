// The log in memory. The "disk" outlives the backend, so that a test can crash a store and open it
// again, and appends can be made to fail.
#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

#include "cluster/store/log_backend.h"

namespace steer {

class MemoryDisk {
 public:
  std::mutex mutex;
  std::map<std::uint64_t, LogRecord> records;
  std::uint64_t last = 0;
  std::uint64_t compacted = 0;
  std::size_t okAppends = std::numeric_limits<std::size_t>::max();  ///< good ones before the failing ones
  std::size_t failures = 0;
};

namespace {

class MemoryLog final : public LogBackend {
 public:
  explicit MemoryLog(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

  Result<void> append(const std::vector<LogRecord>& records) override {
    std::lock_guard lock(disk_->mutex);
    if (disk_->failures > 0) {
      if (disk_->okAppends == 0) {
        --disk_->failures;
        return makeError(Errc::io, "the memory disk fails on command; nothing was acknowledged");
      }
      --disk_->okAppends;
    }
    for (const auto& record : records) {
      disk_->records.insert_or_assign(record.revision, record);
      disk_->last = record.revision;
    }
    return {};
  }

  Result<std::uint64_t> loadState(const std::function<void(LogRecord)>& visit) override {
    std::lock_guard lock(disk_->mutex);
    std::map<ObjectRef, const LogRecord*> latest;
    for (const auto& [revision, record] : disk_->records) latest[record.target] = &record;
    for (const auto& [target, record] : latest)
      if (!record->removed) visit(*record);
    return disk_->last;
  }

  Result<std::vector<LogRecord>> read(std::uint64_t after, std::size_t limit) override {
    std::lock_guard lock(disk_->mutex);
    std::vector<LogRecord> out;
    for (auto it = disk_->records.upper_bound(after); it != disk_->records.end() && out.size() < limit; ++it)
      out.push_back(it->second);
    return out;
  }

  Result<std::optional<LogRecord>> at(std::uint64_t revision) override {
    std::lock_guard lock(disk_->mutex);
    const auto it = disk_->records.find(revision);
    if (it == disk_->records.end()) return std::optional<LogRecord>{};
    return std::optional<LogRecord>{it->second};
  }

  Result<std::uint64_t> compact(std::uint64_t upTo) override {
    std::lock_guard lock(disk_->mutex);
    auto it = disk_->records.upper_bound(disk_->compacted);
    while (it != disk_->records.end() && it->first <= upTo) {
      if (it->second.previous != 0) disk_->records.erase(it->second.previous);
      it = it->second.removed ? disk_->records.erase(it) : std::next(it);
    }
    disk_->compacted = std::max(disk_->compacted, upTo);
    return upTo;
  }

  Result<std::uint64_t> compactedRevision() override {
    std::lock_guard lock(disk_->mutex);
    return disk_->compacted;
  }

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace

std::shared_ptr<MemoryDisk> makeMemoryDisk() { return std::make_shared<MemoryDisk>(); }

void failAppends(MemoryDisk& disk, std::size_t afterOk, std::size_t count) {
  std::lock_guard lock(disk.mutex);
  disk.okAppends = afterOk;
  disk.failures = count;
}

std::unique_ptr<LogBackend> openMemoryLog(std::shared_ptr<MemoryDisk> disk) {
  return std::make_unique<MemoryLog>(std::move(disk));
}

}  // namespace steer
