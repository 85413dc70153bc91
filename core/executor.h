#pragma once
// Where slow calls run. A loop hands a job to the executor and is woken when it is done; the
// simulator runs the job inline. Thread rule: submit() is thread-safe.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace steer {

class Executor {
 public:
  virtual ~Executor() = default;
  /// The job may throw: the exception ends at a barrier. Who waits for the job's answer puts a barrier inside it.
  virtual void submit(std::function<void()> job) = 0;
};

/// Runs the job before submit() returns.
class InlineExecutor final : public Executor {
 public:
  void submit(std::function<void()> job) override;
};

/// A fixed number of threads; the destructor finishes running jobs and drops queued ones.
class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  void submit(std::function<void()> job) override;

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable cv_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace steer
