#pragma once
// WatchHub: brings published events to the watches that want them. A watch that keeps up is "live":
// events are pushed to its queue, found through an index of filters, so idle watches cost nothing.
// One that starts in the past or falls behind catches up from the window of recent events, and
// before that from the log. Thread rule: thread-safe; publish() has one caller at a time.
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/store/store.h"

namespace steer {

using StoreEventPtr = std::shared_ptr<const StoreEvent>;

/// An event and what it counts for in the window.
struct PublishedEvent {
  StoreEventPtr event;
  std::size_t bytes = 0;
};

/// One watch, shared between its reader and the hub.
struct WatchState;

class WatchHub : public std::enable_shared_from_this<WatchHub> {
 public:
  struct Limits {
    std::size_t events = 4096;
    std::size_t bytes = 4 * 1024 * 1024;
    std::size_t perWatch = 1024;              ///< a live watch with more undelivered events catches up instead
    std::size_t bytesPerWatch = 1024 * 1024;  ///< likewise, with more bytes of them than this, and more than one
  };
  /// `log` may be null (forks): then nothing older than the window can be watched.
  WatchHub(std::shared_ptr<LogBackend> log, Limits limits, std::uint64_t revision, std::uint64_t compacted);

  /// Everything up to `revision` has happened. Returns the wakers to call, outside every lock.
  std::vector<Waker> publish(std::vector<PublishedEvent> events, std::uint64_t revision);
  /// After a publish() that failed on the way: watches read what happened from the log. Their wakers are in the next
  /// answer of wakeAll() or publish().
  void skipTo(std::uint64_t revision) noexcept;
  std::vector<Waker> wakeAll();
  Result<std::unique_ptr<StoreWatch>> watch(const std::string& resource, std::uint64_t from, Waker waker,
                                            WatchFilter filter);
  std::uint64_t compacted() const { return compacted_.load(); }
  void setCompacted(std::uint64_t upTo);

 private:
  friend class HubWatch;
  using States = std::vector<std::shared_ptr<WatchState>>;

  /// Makes the watch live when the window reaches back to its position. False: read the log.
  bool goLive(const std::shared_ptr<WatchState>& state);
  Result<void> readLog(WatchState& state);
  Result<StoreEventPtr> eventOf(const LogRecord& record);
  void leave(const std::shared_ptr<WatchState>& state);
  void leaveLocked(WatchState& state);
  void offer(const std::string& bucket, const PublishedEvent& published, std::vector<Waker>& wakers);
  void push(WatchState& state, const PublishedEvent& published, std::vector<Waker>& wakers);
  void trim();
  void collectAll(std::vector<Waker>& wakers);

  const std::shared_ptr<LogBackend> log_;
  const Limits limits_;
  std::mutex mutex_;
  std::deque<PublishedEvent> window_;
  std::size_t windowBytes_ = 0;
  std::uint64_t floor_ = 0;  ///< the window holds every event after this revision
  bool allDue_ = false;      ///< every watch is to be woken: something was not told
  std::unordered_map<std::string, States> buckets_;
  std::unordered_map<std::string, std::size_t> nodeWatches_;  ///< per resource, to skip useless look-ups
  std::unordered_map<std::string, std::size_t> nameWatches_;
  std::unordered_map<std::string, std::size_t> nsWatches_;
  std::atomic<std::uint64_t> published_;
  std::atomic<std::uint64_t> compacted_;
};

}  // namespace steer
