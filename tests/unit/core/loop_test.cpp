#include "core/loop.h"

#include <catch2/catch.hpp>
#include <future>

using namespace steer;

namespace {

class CountingLoop final : public Loop {
 public:
  std::string_view name() const override { return "counting"; }
  Next step(Time now) override {
    const int n = ++steps;
    if (n == 3) reached.set_value();
    return n < 2 ? again(now) : idle();
  }
  std::atomic<int> steps{0};
  std::promise<void> reached;
};

}  // namespace

TEST_CASE("a loop thread steps again when asked, sleeps when idle and wakes when told") {
  CountingLoop loop;
  SystemClock clock;
  LoopThread thread(loop, clock);
  while (loop.steps < 2) std::this_thread::yield();
  const auto waker = loop.wakerForMe();
  waker();
  CHECK(loop.reached.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
}
