#include "core/rfc3339.h"

#include <catch2/catch.hpp>

using namespace steer;

TEST_CASE("times are written as Kubernetes writes them and read back") {
  const auto t = parseTime("2026-11-21T03:44:13.123456789+02:00");
  REQUIRE(t);
  CHECK(formatTime(*t) == "2026-11-21T01:44:13Z");
  CHECK(formatMicroTime(*t) == "2026-11-21T01:44:13.123456Z");
  CHECK(parseTime("2026-11-21T01:44:13Z") == std::chrono::floor<std::chrono::seconds>(*t));
}

TEST_CASE("malformed times are refused") {
  for (const char* bad : {"", "2026-11-21", "2026-13-21T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
                          "2026-11-21T00:00:00", "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00Zx"})
    CHECK_FALSE(parseTime(bad));
}
