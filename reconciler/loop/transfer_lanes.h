#pragma once
// TransferLanes: threads for conversations with remotes, which may hang for as long as they are let. Who answered the
// last time goes first and keeps room of its own; who is new, or failed the last time, shares what is left; no host
// takes all. So any number of remotes that hang hold up neither those that answer nor what is done on this machine.
// Thread rule: thread-safe. The destructor waits for running jobs, which must have been interrupted, and drops others.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/executor.h"

namespace steer {

/// What a remote has shown of itself.
enum class Standing { proven, fresh, failing };

struct TransferJob {
  std::string host;
  Standing standing = Standing::fresh;
};

/// Where conversations with remotes run.
class TransferExecutor {
 public:
  virtual ~TransferExecutor() = default;
  virtual void submit(TransferJob about, std::function<void()> job) = 0;
};

/// All of them on one executor, in their order.
class PlainTransfers final : public TransferExecutor {
 public:
  explicit PlainTransfers(Executor& executor) : executor_(executor) {}
  void submit(TransferJob, std::function<void()> job) override { executor_.submit(std::move(job)); }

 private:
  Executor& executor_;
};

struct RunningTransfer {
  TransferJob about;
  Time since{};
};

/// The next of those that wait (in the order of their coming) that may run beside the running ones. Pure.
std::optional<std::size_t> nextTransfer(const std::vector<TransferJob>& waiting,
                                        const std::vector<RunningTransfer>& running, Time now);

class TransferLanes final : public TransferExecutor {
 public:
  explicit TransferLanes(const Clock& clock);
  ~TransferLanes() override;
  TransferLanes(const TransferLanes&) = delete;
  TransferLanes& operator=(const TransferLanes&) = delete;
  void submit(TransferJob about, std::function<void()> job) override;

 private:
  struct Waiting {
    TransferJob about;
    std::function<void()> job;
  };
  struct Running {
    RunningTransfer what;
    std::thread thread;
  };

  void tick();
  void startSome();  ///< under the lock
  void end(std::size_t id);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::map<std::size_t, Running> running_;
  std::vector<std::thread> finished_;
  std::size_t next_ = 0;
  bool stopping_ = false;
  std::thread ticker_;  ///< starts those whose turn comes because others have run long, and joins the finished
};

}  // namespace steer
