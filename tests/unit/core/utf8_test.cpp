#include "core/utf8.h"

#include <catch2/catch.hpp>

using namespace steer;

TEST_CASE("text is UTF-8 only when every character is whole, shortest and allowed") {
  for (const auto* good :
       {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    CHECK(isUtf8(std::string_view(good)));
  for (const auto* bad : {"\xff", "a\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf0\x9f\x98", "\xe2\x28\xa1"})
    CHECK_FALSE(isUtf8(std::string_view(bad)));
}

TEST_CASE("what is no text is replaced, once for each beginning of a character, and the rest stays") {
  CHECK(toUtf8("J\xf6rg") == "J\xef\xbf\xbdrg");
  CHECK(toUtf8("\xe2\x82") == "\xef\xbf\xbd");
  CHECK(toUtf8("\xff\xfe") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(toUtf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(toUtf8("\xf0\x9f\x98q\xc3\xa9") == "\xef\xbf\xbdq\xc3\xa9");
  CHECK(isUtf8(toUtf8("\xc0\x80\xe0\xff\xf4\xbf")));
}

TEST_CASE("keys and texts at every depth are brought into shape, and it is said whether any was not") {
  json::value value{{"a", json::array{"x\xff", json::object{{"k\xfe", "y"}}}}, {"b", 1}};
  CHECK_FALSE(allUtf8(value));
  CHECK(makeUtf8(value));
  CHECK(allUtf8(value));
  CHECK(parseJson(jsonText(value)).ok());
  CHECK_FALSE(makeUtf8(value));
}
