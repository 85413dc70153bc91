#include "reconciler/loop/transfer_lanes.h"

#include <catch2/catch.hpp>
#include <future>
#include <new>
#include <thread>

#include "core/log.h"
#include "tests/fault/injection.h"

using namespace steer;

namespace {

std::vector<RunningTransfer> hanging(std::size_t count, Standing standing, Time since) {
  std::vector<RunningTransfer> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({{"h" + std::to_string(i), standing}, since});
  return out;
}

}  // namespace

TEST_CASE("who answered before goes first, then who is new, then who failed; each in the order of coming") {
  const Time now{};
  const std::vector<TransferJob> waiting{
      {"a", Standing::failing}, {"b", Standing::fresh}, {"c", Standing::fresh}, {"d", Standing::proven}};
  CHECK(nextTransfer(waiting, {}, now) == 3);
  CHECK(nextTransfer({waiting.begin(), waiting.begin() + 3}, {}, now) == 1);
  CHECK(nextTransfer({waiting[0]}, {}, now) == 0);
  CHECK_FALSE(nextTransfer({}, {}, now));
}

TEST_CASE("hanging remotes leave room for those that answer, whatever their number") {
  const Time now{};
  const std::vector<TransferJob> proven{{"good", Standing::proven}}, fresh{{"new", Standing::fresh}},
      failing{{"bad", Standing::failing}};
  // As many as may run at all, of each kind.
  auto all = hanging(8, Standing::failing, now - minutes(1));
  for (auto& one : hanging(56, Standing::fresh, now - minutes(1))) all.push_back(one);
  CHECK(nextTransfer(proven, all, now));
  CHECK_FALSE(nextTransfer(fresh, all, now));
  CHECK_FALSE(nextTransfer(failing, all, now));
  // New ones wait a moment for new ones, and not for their end.
  CHECK_FALSE(nextTransfer(fresh, hanging(16, Standing::fresh, now), now));
  CHECK(nextTransfer(fresh, hanging(16, Standing::fresh, now), now + seconds(5)));
}

TEST_CASE("no host takes all, also when it answered before") {
  const Time now{};
  std::vector<RunningTransfer> one;
  for (int i = 0; i < 16; ++i) one.push_back({{"github", Standing::proven}, now - minutes(1)});
  CHECK_FALSE(nextTransfer({{"github", Standing::proven}}, one, now));
  CHECK(nextTransfer({{"github", Standing::proven}, {"gitlab", Standing::proven}}, one, now) == 1);
}

TEST_CASE("a hundred jobs that hang hold up neither one that answered before nor the end") {
  log::setLevel(log::Level::off);
  std::promise<void> release, done;
  const auto released = release.get_future().share();
  const SystemClock clock;
  TransferLanes lanes(clock);
  lanes.submit({"throws", Standing::fresh}, [] { throw std::bad_alloc(); });
  for (int i = 0; i < 100; ++i)
    lanes.submit({"h" + std::to_string(i), i % 2 == 0 ? Standing::fresh : Standing::failing},
                 [released] { released.wait(); });
  lanes.submit({"good", Standing::proven}, [&] { done.set_value(); });
  CHECK(done.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  release.set_value();
}

TEST_CASE("transfers go on after a fault of one, and of the thread that starts them") {
  for (const auto what : faulttest::kThrown)
    for (const std::string place : {"a transfer", "the lanes of transfers"}) {
      INFO(place << ": " << faulttest::textOf(what));
      const faulttest::Injection injected(place, what);
      std::promise<void> done;
      const SystemClock clock;
      TransferLanes lanes(clock);
      if (place == "a transfer") lanes.submit({"lost", Standing::fresh}, [] {});
      while (!injected.done()) std::this_thread::yield();
      lanes.submit({"host", Standing::fresh}, [&] { done.set_value(); });
      CHECK(done.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    }
}
