#pragma once
// ElasticThreads: as many threads as there is work at this moment, with small stacks; idle ones end
// after a while. For connections, each of which holds a thread for as long as it lives.
// Thread rule: submit() and stop() are thread-safe; stop() waits for running jobs, which must be
// told to end by other means.
#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace steer {

class ElasticThreads {
 public:
  /// Of a stack only what has been touched takes memory.
  explicit ElasticThreads(std::size_t stackBytes) : stackBytes_(stackBytes) {}
  ~ElasticThreads() { stop(); }
  ElasticThreads(const ElasticThreads&) = delete;
  ElasticThreads& operator=(const ElasticThreads&) = delete;

  /// False, and the job is dropped, when stopped or when no thread can be made.
  bool submit(std::function<void()> job);
  void stop();

 private:
  static void* enter(void* self);
  void run();
  void joinFinished(std::unique_lock<std::mutex>& lock);

  const std::size_t stackBytes_;
  std::mutex mutex_;
  std::condition_variable work_, ended_;
  std::deque<std::function<void()>> queue_;
  std::size_t idle_ = 0;
  std::size_t alive_ = 0;
  bool stopping_ = false;
  std::vector<pthread_t> finished_;  ///< ended, to be joined
};

}  // namespace steer
