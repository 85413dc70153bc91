#pragma once
// Turns: writers of the same object (or of the same allocation) go one after the other, so that
// none of them plans on a state that another is about to change; all others go in parallel and
// share the store's group commits. Keys are taken all at once: no deadlock.
// Thread rule: thread-safe; take() blocks until every key is free.
#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace steer {

class Turns {
 public:
  class Held {
   public:
    Held(Turns& turns, std::vector<std::string> keys) : turns_(&turns), keys_(std::move(keys)) {}
    Held(Held&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), keys_(std::move(other.keys_)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (turns_ != nullptr) turns_->give(keys_);
    }

   private:
    Turns* turns_;
    std::vector<std::string> keys_;
  };

  Held take(std::vector<std::string> keys);

 private:
  void give(const std::vector<std::string>& keys);

  std::mutex mutex_;
  std::condition_variable freed_;
  std::unordered_set<std::string> taken_;
};

}  // namespace steer
