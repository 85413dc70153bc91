#include "cluster/apiserver/turns.h"

#include <algorithm>
#include <utility>

namespace steer {

Turns::Held Turns::take(std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] {
    return std::none_of(keys.begin(), keys.end(), [&](const std::string& k) { return taken_.contains(k); });
  });
  taken_.insert(keys.begin(), keys.end());
  return {*this, std::move(keys)};
}

void Turns::give(const std::vector<std::string>& keys) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& key : keys) taken_.erase(key);
  }
  freed_.notify_all();
}

}  // namespace steer
