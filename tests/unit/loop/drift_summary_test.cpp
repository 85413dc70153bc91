#include "reconciler/loop/drift_summary.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

ApplyRecord healed(Time at, const std::string& line) {
  ApplyRecord r;
  r.trigger = "drift";
  r.commit = "1234567890";
  r.started = r.finished = at;
  r.result = ApplyRecord::Result::healthy;
  r.updated = 1;
  r.drift = {line};
  r.objects.push_back({line, "", "update", "done", "", "", "", {}});
  return r;
}

}  // namespace

TEST_CASE("the first healing is told at once, what follows within a minute as one with its counts") {
  DriftSummary summary;
  const Time start{};
  summary.add(healed(start, "a"));
  REQUIRE(summary.take(start));
  for (int i = 1; i <= 5; ++i) summary.add(healed(start + seconds(i), i % 2 == 0 ? "a" : "b"));
  CHECK_FALSE(summary.take(start + seconds(59)));
  CHECK(summary.due() == start + seconds(60));
  const auto one = summary.take(start + seconds(60));
  REQUIRE(one);
  CHECK(one->updated == 5);
  CHECK(one->drift == std::vector<std::string>{"a (2 times)", "b (3 times)"});
  CHECK(one->objects.size() == 2);
  CHECK(one->finished == start + seconds(5));
  CHECK_FALSE(summary.take(start + minutes(540)));
}

TEST_CASE("a fight that stays the same is told ever more rarely, and something new within a minute") {
  DriftSummary summary;
  Time now{};
  int told = 0;
  for (int second = 0; second < 4 * 3600; second += 5, now += seconds(5)) {
    summary.add(healed(now, "fight"));
    if (summary.take(now)) ++told;
  }
  CHECK(told < 12);
  CHECK(told > 5);
  summary.add(healed(now, "another"));
  CHECK(*summary.due() <= now + seconds(60));
}

TEST_CASE("before something else is told, what waits is told") {
  DriftSummary summary;
  summary.add(healed(Time{}, "a"));
  (void)summary.take(Time{});
  summary.add(healed(Time{}, "a"));
  CHECK_FALSE(summary.take(Time{}));
  CHECK(summary.take(Time{}, DriftSummary::Take::all));
  CHECK_FALSE(summary.waiting());
}
