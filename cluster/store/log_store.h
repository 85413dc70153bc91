#pragma once
// LogStore: the Store over a LogBackend. A commit is checked against the durable state and the
// changes on their way to disk (`pending_`), gets its revisions, and queues. The first waiting
// commit becomes the leader: it writes the whole queue as one durable group, publishes the new
// snapshot and the events, acknowledges everyone, and hands over to the next waiting one. So a lone
// writer pays no thread switch, and a thousand writers share one flush.
// Thread rule: thread-safe. Failure rule: a group that cannot be written takes everything pending
// with it, back to the durable state; each waiter is told, and the next commit starts afresh.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "cluster/store/store.h"
#include "cluster/store/watch_hub.h"

namespace steer {

class LogStore final : public Store {
 public:
  /// `log` null: nothing is kept (forks).
  LogStore(std::shared_ptr<LogBackend> log, StoreOptions options, Snapshot state, std::uint64_t compacted);
  ~LogStore() override;

  Result<std::vector<Committed>> commit(std::vector<Mutation> mutations) override;
  Snapshot snapshot() const override;
  std::uint64_t revision() const override;
  std::uint64_t compactedRevision() const override { return hub_->compacted(); }
  Result<std::unique_ptr<StoreWatch>> watch(const std::string& resource, std::uint64_t fromRevision, Waker waker,
                                            WatchFilter filter) override;
  Result<void> compact(std::uint64_t upTo) override;

 private:
  struct Change;       // one mutation on its way
  struct Transaction;  // one commit() call on its way
  struct Pending {
    ObjectPtr object;  ///< null = removed
    std::uint64_t revision = 0;
  };
  struct Checked;  // outcome of check()

  Checked check(const Change& change, const std::unordered_map<std::string, Pending>& own) const;
  Result<void> prepare(Transaction& transaction, std::vector<Mutation> mutations) const;
  /// Checks and queues under the lock. An error with `onPending` set rests on a change that is not
  /// durable yet: it must not be told before that change is.
  Result<void> stage(Transaction& transaction, bool& onPending);
  void await(Transaction& transaction);
  void lead();
  /// What is known to all when a group is written.
  struct Publication {
    Snapshot next;
    std::vector<PublishedEvent> events;
  };
  std::vector<LogRecord> recordsOf(const std::vector<Transaction*>& group) const;
  Publication publicationOf(const std::vector<Transaction*>& group) const;
  Result<void> writeRecords(const std::vector<LogRecord>& records);
  void publishGroup(const std::vector<Transaction*>& group, Publication publication);
  void rollBack(const std::vector<Transaction*>& group, const Error& error);
  static void tellDone(const std::vector<Transaction*>& group);
  void settle(const std::vector<Transaction*>& group);
  void maintainInline();
  void maintain();
  Result<void> compactSteps(std::uint64_t upTo, bool yielding);

  const std::shared_ptr<LogBackend> log_;
  const StoreOptions options_;
  const std::shared_ptr<WatchHub> hub_;

  mutable std::mutex mutex_;  ///< guards what follows, up to the blank line; held shortly
  Snapshot durable_;
  std::uint64_t nextRevision_;
  std::unordered_map<std::string, Pending> pending_;
  std::vector<Transaction*> queue_;
  bool leading_ = false;

  std::mutex maintenanceMutex_;
  std::condition_variable maintenanceCv_;
  bool stopping_ = false;
  bool maintenanceDue_ = false;
  std::mutex compactMutex_;  ///< one compaction at a time
  std::thread maintenance_;
};

}  // namespace steer
