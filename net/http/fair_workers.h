#pragma once
// FairWorkers: jobs of many users on a bounded number of threads. Users take turns, and none holds all threads, so
// that one who asks a thousand times does not keep out one who asks once.
// Thread rule: thread-safe. Failure rule: a job that cannot run any more is dropped by calling its `drop`.
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "net/http/elastic_threads.h"
#include "net/http/limits.h"

namespace steer {

class FairWorkers {
 public:
  struct Job {
    std::function<void()> run;
    std::function<void()> drop;  ///< called in place of run when that cannot be begun
  };
  enum class Taken { yes, full, stopped };

  explicit FairWorkers(const ServerLimits& limits);
  ~FairWorkers() { stop(); }

  Taken submit(const std::string& user, Job job);
  /// Drops what waits and returns when what runs has ended.
  void stop();

 private:
  struct User {
    std::deque<Job> waiting;
    std::size_t running = 0;
    bool inTurn = false;
  };
  void pump(std::unique_lock<std::mutex>& lock);
  void finish(const std::string& user);
  void leave(const std::string& user);  ///< under the lock: one job of the user less

  const std::size_t threadLimit_, userLimit_, queueLimit_;
  std::mutex mutex_;
  std::map<std::string, User> users_;
  std::deque<std::string> turns_;  ///< users with a waiting job who may start one
  std::size_t running_ = 0;
  std::size_t queued_ = 0;
  bool stopping_ = false;
  ElasticThreads threads_;
};

}  // namespace steer
