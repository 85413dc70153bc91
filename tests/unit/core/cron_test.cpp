#include <catch2/catch.hpp>

#include "core/cron.h"
#include "core/duration.h"
#include "core/rfc3339.h"

using namespace steer;

namespace {

std::string nextOf(const char* schedule, const char* after, const char* zone = "UTC") {
  const auto parsed = CronSchedule::parse(schedule);
  REQUIRE(parsed.ok());
  const auto tz = TimeZone::load(zone);
  REQUIRE(tz.ok());
  const auto next = parsed->next(*parseTime(after), *tz);
  return next ? formatTime(*next) : "never";
}

}  // namespace

TEST_CASE("a cron schedule names its next time") {
  CHECK(nextOf("*/15 * * * *", "2026-03-02T10:00:00Z") == "2026-03-02T10:15:00Z");
  CHECK(nextOf("0 9 * * mon", "2026-03-02T10:00:00Z") == "2026-03-09T09:00:00Z");
  CHECK(nextOf("30 4 1,15 * 5", "2026-03-02T10:00:00Z") == "2026-03-06T04:30:00Z");
  CHECK(nextOf("0 0 29 2 *", "2026-03-02T10:00:00Z") == "2028-02-29T00:00:00Z");
  CHECK(nextOf("0 0 31 2 *", "2026-03-02T10:00:00Z") == "never");
  CHECK(nextOf("@monthly", "2026-12-15T00:00:00Z") == "2027-01-01T00:00:00Z");
}

TEST_CASE("a cron schedule follows summer time") {
  CHECK(nextOf("30 3 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin") == "2026-03-29T01:30:00Z");
  CHECK(nextOf("30 3 * * *", "2026-03-27T12:00:00Z", "Europe/Berlin") == "2026-03-28T02:30:00Z");
}

TEST_CASE("a schedule that cannot be read says which field") {
  for (const char* bad : {"", "* * * *", "60 * * * *", "a * * * *", "*/0 * * * *", "5-1 * * * *", "* * 0 * *",
                          "1,,2 * * * *", "99999999999999999999 * * * *"})
    CHECK_FALSE(CronSchedule::parse(bad).ok());
  CHECK(CronSchedule::parse("0 25 * * *").error().message == "the hour \"25\" cannot be read");
}

TEST_CASE("time zones that are none are refused") {
  CHECK_FALSE(TimeZone::load("../passwd").ok());
  CHECK_FALSE(TimeZone::load("/etc/passwd").ok());
  CHECK_FALSE(TimeZone::load("Europe/Atlantis").ok());
  CHECK_FALSE(TimeZone::parse("TZif2").ok());
  CHECK_FALSE(TimeZone::parse(std::string("TZif2") + std::string(60, '\xff')).ok());
}

TEST_CASE("durations are read as Kubernetes writes them") {
  CHECK(parseDuration("1h30m") == minutes(90));
  CHECK(parseDuration("1.5s") == milliseconds(1500));
  CHECK(parseDuration("250ms") == milliseconds(250));
  CHECK(parseDuration("0") == Duration::zero());
  for (const char* bad : {"", "5", "m", "-5m", "5 m", "1e3s", "999999999999999999h"}) CHECK_FALSE(parseDuration(bad));
}
