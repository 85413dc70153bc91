#include "core/patch.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

std::string patched(const char* document, const char* patch) {
  auto r = applyJsonPatch(json::parse(document), json::parse(patch));
  return r.ok() ? jsonText(*r) : "error " + std::string(factsOf(r.error().code).reason);
}

}  // namespace

TEST_CASE("JSON patch performs its six operations") {
  CHECK(patched(R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])") == R"({"a":1,"b":2})");
  CHECK(patched(R"([1,3])", R"([{"op":"add","path":"/1","value":2},{"op":"add","path":"/-","value":4}])") ==
        "[1,2,3,4]");
  CHECK(patched(R"({"a":1,"b":2,"c":3})", R"([{"op":"remove","path":"/a"}])") == R"({"b":2,"c":3})");
  CHECK(patched(R"({"a":[1]})", R"([{"op":"replace","path":"/a/0","value":null}])") == R"({"a":[null]})");
  CHECK(patched(R"({"a":{"x":1}})", R"([{"op":"move","from":"/a/x","path":"/y"}])") == R"({"a":{},"y":1})");
  CHECK(patched(R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"}])") == R"({"a":[1],"b":[1]})");
  CHECK(patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":1},{"op":"remove","path":"/a"}])") == "{}");
  CHECK(patched(R"({"a/b":{"~":1}})", R"([{"op":"replace","path":"/a~1b/~0","value":2}])") == R"({"a/b":{"~":2}})");
  CHECK(patched(R"({"a":1})", R"([{"op":"add","path":"","value":7}])") == "7");
}

TEST_CASE("A JSON patch that does not fit is refused") {
  CHECK(patched(R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])") == "error Invalid");
  CHECK(patched(R"({"a":1})", R"([{"op":"remove","path":"/b"}])") == "error Invalid");
  CHECK(patched(R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])") == "error Invalid");
  CHECK(patched(R"([1])", R"([{"op":"add","path":"/5","value":1}])") == "error Invalid");
  CHECK(patched(R"([1])", R"([{"op":"add","path":"/01","value":1}])") == "error Invalid");
  CHECK(patched(R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])") == "error Invalid");
  CHECK(patched(R"({})", R"({"op":"add"})") == "error BadRequest");
  CHECK(patched(R"({})", R"([{"op":"plus","path":"/a","value":1}])") == "error BadRequest");
  CHECK(patched(R"({})", R"([{"op":"add","path":"a","value":1}])") == "error BadRequest");
  CHECK(patched(R"({})", R"([{"op":"add","path":"/a"}])") == "error BadRequest");
}

TEST_CASE("A JSON patch cannot grow a document without limit") {
  json::array patch;
  for (int i = 0; i < 40; ++i) patch.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/a/-"}});
  auto r = applyJsonPatch(json::parse(R"({"a":["xxxxxxxxxx"]})"), patch);
  REQUIRE_FALSE(r.ok());
  CHECK(r.error().code == Errc::tooLarge);
}

TEST_CASE("Merge patch follows the examples of RFC 7386") {
  auto merged = [](const char* document, const char* patch) {
    return jsonText(applyMergePatch(json::parse(document), json::parse(patch)));
  };
  CHECK(merged(R"({"a":"b"})", R"({"a":"c"})") == R"({"a":"c"})");
  CHECK(merged(R"({"a":"b","b":"c"})", R"({"a":null})") == R"({"b":"c"})");
  CHECK(merged(R"({"a":[1]})", R"({"a":"c"})") == R"({"a":"c"})");
  CHECK(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})") == R"({"a":{"b":"d"}})");
  CHECK(merged(R"([1,2])", R"({"a":"b","c":null})") == R"({"a":"b"})");
  CHECK(merged(R"({})", R"({"a":{"bb":{"ccc":null}}})") == R"({"a":{"bb":{}}})");
  CHECK(merged(R"({"e":null})", R"({"a":1})") == R"({"e":null,"a":1})");
}

TEST_CASE("A JSON patch cannot shift without limit, nor nest deeper than a document may") {
  json::array list(30'000);
  json::array moves;
  for (int i = 0; i < 10'000; ++i) moves.push_back({{"op", "move"}, {"from", "/a/0"}, {"path", "/a/-"}});
  auto shifted = applyJsonPatch(json::object{{"a", list}}, moves);
  REQUIRE_FALSE(shifted.ok());
  CHECK(shifted.error().code == Errc::tooLarge);
  moves.resize(1000);
  CHECK(applyJsonPatch(json::object{{"a", list}}, moves).ok());

  json::array nested;
  std::string path;
  for (int i = 0; i < 600; ++i) nested.push_back({{"op", "add"}, {"path", path += "/a"}, {"value", json::object{}}});
  auto deep = applyJsonPatch(json::object{}, nested);
  REQUIRE_FALSE(deep.ok());
  CHECK(deep.error().code == Errc::tooLarge);
}

TEST_CASE("A test for null passes where nothing is, and a merge patch's new lists hold no null members") {
  CHECK(patched(R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])") == R"({"a":1})");
  CHECK(patched(R"({"a":1})", R"([{"op":"test","path":"/b","value":1}])") == "error Invalid");
  CHECK(jsonText(applyMergePatch(json::parse(R"({"a":[1]})"), json::parse(R"({"a":[{"b":null,"c":[null]}]})"))) ==
        R"({"a":[{"c":[null]}]})");
}
