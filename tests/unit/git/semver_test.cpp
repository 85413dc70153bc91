#include <catch2/catch.hpp>

#include "reconciler/git/semver.h"

using namespace steer;

namespace {

std::string newest(const std::string& range, const std::vector<std::string>& names) {
  const auto parsed = VersionRange::parse(range);
  REQUIRE(parsed.ok());
  return parsed->newest(names).value_or("none");
}

const std::vector<std::string> kTags{"v0.9.0", "v1.0.0", "1.2.0",        "v1.2.10", "v1.2.9", "v1.4.2", "1.4.3-rc.1",
                                     "v1.5.0", "v2.0.0", "2.1.0-beta.2", "nightly", "v3",     "1.2.3.4"};

}  // namespace

TEST_CASE("the newest tag in a range is found by number, not by text") {
  CHECK(newest(">=1.2 <1.4", kTags) == "v1.2.10");
  CHECK(newest(">= 1.2, < 2", kTags) == "v1.5.0");
  CHECK(newest("~1.4", kTags) == "v1.4.2");
  CHECK(newest("~1", kTags) == "v1.5.0");
  CHECK(newest("^1.2", kTags) == "v1.5.0");
  CHECK(newest("^0.9", kTags) == "v0.9.0");
  CHECK(newest("1.x", kTags) == "v1.5.0");
  CHECK(newest("1.2.*", kTags) == "v1.2.10");
  CHECK(newest("*", kTags) == "v2.0.0");
  CHECK(newest("v1.0.0", kTags) == "v1.0.0");
  CHECK(newest("1.0 - 1.4", kTags) == "v1.4.2");
  CHECK(newest("0.x || 2.x", kTags) == "v2.0.0");
  CHECK(newest(">1.4", kTags) == "v2.0.0");
  CHECK(newest("<=1.2", kTags) == "v1.2.10");
  CHECK(newest("1.x !=1.5.0", kTags) == "v1.4.2");
  CHECK(newest("4.x", kTags) == "none");
}

TEST_CASE("a prerelease is taken only where the range names one of the same version") {
  CHECK(newest(">=1.4.3-rc.0 <1.5", kTags) == "1.4.3-rc.1");
  CHECK(newest(">=2.1.0-alpha", kTags) == "2.1.0-beta.2");
  CHECK(newest(">=1.4.2 <1.5", kTags) == "v1.4.2");
}

TEST_CASE("versions are ordered as the specification says") {
  const std::vector<std::string> order{"1.0.0-alpha",  "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
                                       "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",       "1.0.0",
                                       "1.0.1",        "1.10.0"};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    CHECK(Version::parse(order[i])->compare(*Version::parse(order[i + 1])) < 0);
    CHECK(Version::parse(order[i + 1])->compare(*Version::parse(order[i])) > 0);
  }
  CHECK(Version::parse("1.0.0+a")->compare(*Version::parse("1.0.0+b")) == 0);
}

TEST_CASE("what is no range is refused with the part that is wrong") {
  for (const char* text : {"", "latest", ">=", "1.2.3.4", "=>=1", "1.x.3", "1.2 ||", "~v", "-1", "1.2-rc"}) {
    const auto parsed = VersionRange::parse(text);
    INFO(text);
    CHECK_FALSE(parsed.ok());
  }
  CHECK(VersionRange::parse(">=1.2 latest").error().message.find("\"latest\"") != std::string::npos);
}
