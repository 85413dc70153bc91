#include "net/http/fair_workers.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/barrier.h"

namespace steer {
namespace {

constexpr std::size_t kStackBytes = 1024 * 1024;  ///< address space; memory is what a request touches

}  // namespace

FairWorkers::FairWorkers(const ServerLimits& limits)
    : threadLimit_(std::max<std::size_t>(1, limits.threads)),
      userLimit_(std::max<std::size_t>(1, std::min(limits.threadsPerUser, limits.threads))),
      queueLimit_(limits.queued),
      threads_(kStackBytes) {}

FairWorkers::Taken FairWorkers::submit(const std::string& name, Job job) {
  std::unique_lock lock(mutex_);
  if (stopping_) return Taken::stopped;
  if (queued_ >= queueLimit_) return Taken::full;
  auto& user = users_[name];
  user.waiting.push_back(std::move(job));
  ++queued_;
  if (!user.inTurn && user.running < userLimit_) {
    user.inTurn = true;
    turns_.push_back(name);
  }
  pump(lock);
  return Taken::yes;
}

void FairWorkers::pump(std::unique_lock<std::mutex>& lock) {
  while (!stopping_ && running_ < threadLimit_ && !turns_.empty()) {
    const std::string name = std::move(turns_.front());
    turns_.pop_front();
    auto& user = users_[name];
    Job job = std::move(user.waiting.front());
    user.waiting.pop_front();
    --queued_;
    ++user.running;
    ++running_;
    user.inTurn = !user.waiting.empty() && user.running < userLimit_;
    if (user.inTurn) turns_.push_back(name);
    lock.unlock();
    // Without a thread the job is dropped: the machine is at its end, and its sender is told so.
    if (!threads_.submit([this, name, job] {
          bool begun = false;
          const auto fault = barrier::run("the work for a request", [&] {
            begun = true;
            job.run();
          });
          if (fault && !begun) (void)barrier::run("the refusal of a request", job.drop);
          finish(name);
        })) {
      job.drop();
      lock.lock();
      leave(name);
      continue;
    }
    lock.lock();
  }
}

void FairWorkers::finish(const std::string& name) {
  std::unique_lock lock(mutex_);
  leave(name);
  pump(lock);
}

void FairWorkers::leave(const std::string& name) {
  --running_;
  const auto it = users_.find(name);
  auto& user = it->second;
  --user.running;
  if (user.waiting.empty() && user.running == 0) {
    users_.erase(it);
  } else if (!user.waiting.empty() && !user.inTurn) {
    user.inTurn = true;
    turns_.push_back(name);
  }
}

void FairWorkers::stop() {
  std::vector<Job> dropped;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [name, user] : users_)
      for (auto& job : std::exchange(user.waiting, {})) dropped.push_back(std::move(job));
    queued_ = 0;
    turns_.clear();
  }
  for (auto& job : dropped) job.drop();
  threads_.stop();
}

}  // namespace steer
