#pragma once
// Bell: lets any thread wake one coroutine, also after that coroutine and its context are gone.
// Thread rule: ring() from anywhere; sleep() and retire() on the context's thread.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>

namespace steer {

class Bell {
 public:
  explicit Bell(boost::asio::io_context& context)
      : context_(&context), timer_(std::make_shared<boost::asio::steady_timer>(context)) {}

  void ring();
  /// Returns when somebody rang since the last return, or after this time.
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds atMost);
  /// From now on ringing does nothing; to be called before the context goes.
  void retire();

 private:
  bool take();

  std::mutex mutex_;
  boost::asio::io_context* context_;
  bool rung_ = false;
  std::shared_ptr<boost::asio::steady_timer> timer_;  ///< of the context's thread
};

}  // namespace steer
