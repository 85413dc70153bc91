#include "net/http/bell.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace steer {

void Bell::ring() {
  std::lock_guard lock(mutex_);
  if (context_ == nullptr || std::exchange(rung_, true)) return;
  boost::asio::post(*context_, [weak = std::weak_ptr(timer_)] {
    if (const auto timer = weak.lock()) timer->cancel();
  });
}

bool Bell::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(rung_, false);
}

boost::asio::awaitable<void> Bell::sleep(std::chrono::milliseconds atMost) {
  if (take()) co_return;
  const auto timer = timer_;
  timer->expires_after(atMost);
  // Who rings from here on posts the cancellation behind this coroutine's suspension.
  co_await timer->async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  take();
}

void Bell::retire() {
  std::lock_guard lock(mutex_);
  context_ = nullptr;
  timer_.reset();
}

}  // namespace steer
