#include "net/http/elastic_threads.h"

#include <chrono>
#include <utility>

#include "core/barrier.h"

namespace steer {
namespace {

constexpr std::chrono::seconds kIdleLife{10};

}  // namespace

void* ElasticThreads::enter(void* self) {
  static_cast<ElasticThreads*>(self)->run();
  return nullptr;
}

bool ElasticThreads::submit(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  queue_.push_back(std::move(job));
  if (queue_.size() <= idle_) {
    work_.notify_one();
    return true;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes_);
  pthread_t thread{};
  const bool made = pthread_create(&thread, &attributes, &ElasticThreads::enter, this) == 0;
  pthread_attr_destroy(&attributes);
  if (made) ++alive_;
  else queue_.pop_back();
  joinFinished(lock);
  return made;
}

void ElasticThreads::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    const bool woken = work_.wait_for(lock, kIdleLife, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty() && (stopping_ || !woken)) break;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    (void)barrier::run("a connection", job);
    job = nullptr;
    lock.lock();
  }
  --alive_;
  finished_.push_back(pthread_self());
  ended_.notify_all();
}

void ElasticThreads::joinFinished(std::unique_lock<std::mutex>& lock) {
  auto threads = std::exchange(finished_, {});
  lock.unlock();
  for (const auto thread : threads) pthread_join(thread, nullptr);
  lock.lock();
}

void ElasticThreads::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  work_.notify_all();
  ended_.wait(lock, [this] { return alive_ == 0; });
  joinFinished(lock);
}

}  // namespace steer
