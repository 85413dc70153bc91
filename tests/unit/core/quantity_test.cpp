#include "core/quantity.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

std::string canonical(const std::string& text) {
  auto q = Quantity::parse(text);
  return q.ok() ? q->text() : "error";
}

}  // namespace

TEST_CASE("Quantities are written in canonical form") {
  CHECK(canonical("0.1") == "100m");
  CHECK(canonical("1500m") == "1500m");
  CHECK(canonical("2000m") == "2");
  CHECK(canonical("1024Mi") == "1Gi");
  CHECK(canonical("1.5Gi") == "1536Mi");
  CHECK(canonical("0.5Ki") == "512");
  CHECK(canonical("1000Ki") == "1000Ki");
  CHECK(canonical("1e3") == "1e3");
  CHECK(canonical("1E6") == "1e6");
  CHECK(canonical("1000") == "1k");
  CHECK(canonical("12E") == "9223372036854775807");
  CHECK(canonical("-0.5") == "-500m");
  CHECK(canonical("+1.") == "1");
  CHECK(canonical(".5") == "500m");
  CHECK(canonical("0Mi") == "0");
  CHECK(canonical("1e-3") == "1e-3");
  CHECK(canonical("100u") == "100u");
}

TEST_CASE("Quantities finer than a billionth round away from zero") {
  CHECK(canonical("0.0000000001") == "1n");
  CHECK(canonical("-0.0000000001") == "-1n");
  CHECK(canonical("1.1n") == "2n");
  CHECK(canonical("1e-100") == "1e-9");
}

TEST_CASE("Quantities beyond 2^63-1 are capped, never wrapped") {
  CHECK(canonical("9223372036854775808") == "9223372036854775807");
  CHECK(canonical("1e1000") == "9223372036854775807");
  CHECK(canonical("100000Ei") == "9223372036854775807");
  CHECK(canonical("-100E") == "-9223372036854775807");
  CHECK(Quantity::parse("9223372036854775807")->milli() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("What is not a quantity is an error") {
  for (const auto* bad :
       {"", "m", "1.2.3", "1 Mi", "1mi", "1KI", "0x10", "--1", "1e", "1e+", ".", "1e99999999999", "1,5"})
    CHECK(canonical(bad) == "error");
}

TEST_CASE("Arithmetic is exact and whole units round up") {
  const auto tenth = *Quantity::parse("100m");
  Quantity sum;
  for (int i = 0; i < 10; ++i) sum += tenth;
  CHECK(sum == Quantity::ofUnits(1));
  CHECK(sum.text() == "1");
  CHECK(Quantity::parse("1100m")->units() == 2);
  CHECK(Quantity::parse("1.0001")->milli() == 1001);
  CHECK((*Quantity::parse("1Gi") - *Quantity::parse("1Mi")).text() == "1023Mi");
  CHECK(*Quantity::parse("0.9") < *Quantity::parse("1"));
  CHECK(*Quantity::fromJson(json::value(2)) == Quantity::ofUnits(2));
  CHECK(*Quantity::fromJson(json::value(0.5)) == Quantity::ofMilli(500));
  CHECK_FALSE(Quantity::fromJson(json::value(true)).ok());
}
