#include "core/barrier.h"

#include <catch2/catch.hpp>
#include <future>
#include <new>
#include <stdexcept>

#include "core/executor.h"
#include "core/log.h"
#include "core/loop.h"

using namespace steer;

namespace {

class Stumbling final : public Loop {
 public:
  std::string_view name() const override { return "stumbling"; }
  Next step(Time) override {
    if (falls-- > 0) throw std::runtime_error("stumbled");
    ++steps;
    return idle();
  }
  void recover() override { ++recoveries; }
  int falls = 2, steps = 0, recoveries = 0;
};

}  // namespace

TEST_CASE("a fault is given back by name, counted in a row, and forgotten when the work ends well") {
  log::setLevel(log::Level::off);
  CHECK_FALSE(barrier::run("here", [] {}));
  CHECK(barrier::run("here", [] { throw std::runtime_error("one"); })->what == "one");
  const auto second = barrier::run("here", [] { throw std::bad_alloc(); });
  CHECK(second->what == "out of memory");
  CHECK(second->times == 2);
  CHECK(barrier::faultText("here", *second).find("a fault in here: out of memory (2 times in a row)") == 0);
  CHECK(barrier::run("there", [] { throw 7; })->what == "an exception without a text");
  CHECK(barrier::faults().at("here").times == 2);
  CHECK_FALSE(barrier::run("here", [] {}));
  CHECK_FALSE(barrier::faults().contains("here"));
  CHECK(barrier::faults().contains("there"));
}

TEST_CASE("a loop that throws is stepped again after 1, 2, 4 … seconds, recovered first, and then as it asks") {
  log::setLevel(log::Level::off);
  Stumbling loop;
  GuardedLoop guarded(loop);
  const Time now{};
  CHECK(guarded.step(now).at == now + seconds(1));
  CHECK(guarded.step(now).at == now + seconds(2));
  CHECK_FALSE(guarded.step(now).at);
  CHECK(loop.steps == 1);
  CHECK(loop.recoveries == 2);
  loop.falls = 20;
  Loop::Next next;
  for (int i = 0; i < 20; ++i) next = guarded.step(now);
  CHECK(next.at == now + seconds(60));
}

TEST_CASE("a job that throws ends neither its thread nor the next job") {
  log::setLevel(log::Level::off);
  std::promise<void> done;
  ThreadPool pool(1);
  pool.submit([] { throw std::bad_alloc(); });
  pool.submit([&] { done.set_value(); });
  CHECK(done.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  InlineExecutor here;
  int jobs = 0;
  here.submit([] { throw std::runtime_error("no"); });
  here.submit([&] { ++jobs; });
  CHECK(jobs == 1);
}

TEST_CASE("what a thread does for ever begins again after a fault") {
  log::setLevel(log::Level::off);
  int begun = 0;
  barrier::keepRunning("for ever", [&] {
    if (++begun < 3) throw std::runtime_error("not yet");
  });
  CHECK(begun == 3);
}

TEST_CASE("a test can put a fault into any place by its name") {
  log::setLevel(log::Level::off);
  barrier::setInjection([](std::string_view place) {
    if (place == "bad place") throw std::bad_alloc();
  });
  int works = 0;
  CHECK(barrier::run("bad place", [&] { ++works; }));
  CHECK_FALSE(barrier::run("good place", [&] { ++works; }));
  barrier::setInjection(nullptr);
  CHECK_FALSE(barrier::run("bad place", [&] { ++works; }));
  CHECK(works == 2);
}
