// What an older version of this program accepted, or a hand wrote into the file, never keeps a store from opening.
#include <catch2/catch.hpp>
#include <limits>

#include "cluster/store/record_check.h"
#include "core/log.h"
#include "core/utf8.h"
#include "store_fixture.h"

using namespace steer;
using namespace steer::storetest;

namespace {

std::string bodyOf(const std::string& name, const std::string& more) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
         R"(","namespace":"a","resourceVersion":""},)" + more + "}";
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + "1" + std::string(levels, ']'); }

LogRecord record(std::uint64_t revision, ObjectRef target, std::string body) {
  return {revision, false, std::move(target), std::move(body), 0};
}

struct Odd {
  std::string name, body, reads;  ///< reads: data.k afterwards, as JSON
};

std::vector<Odd> oddRecords() {
  return {{"bytes", bodyOf("bytes", "\"data\":{\"k\":\"J\xf6rg\"}"), "\"J\xef\xbf\xbdrg\""},
          {"half", bodyOf("half", R"("data":{"k":"a\ud800b"})"),
           "\"a\xef\xbf\xbd"
           "b\""},
          {"low", bodyOf("low", R"("data":{"k":"\udc00\ud83d\ude00"})"), "\"\xef\xbf\xbd\xf0\x9f\x98\x80\""},
          {"control", bodyOf("control", "\"data\":{\"k\":\"a\x01\"}"), "\"a\xef\xbf\xbd\""},
          {"escape", bodyOf("escape", R"("data":{"k":"\q"})"), "\"\xef\xbf\xbdq\""},
          {"nan", bodyOf("nan", R"("data":{"k":NaN})"), "null"},
          {"infinite", bodyOf("infinite", R"("data":{"k":-Infinity})"), "null"},
          {"huge", bodyOf("huge", R"("data":{"k":1e99999999999999999999})"), "null"},
          {"large", bodyOf("large", R"("data":{"k":1e400})"), "null"},
          {"deep", bodyOf("deep", R"("deep":)" + nested(3000) + R"(,"data":{"k":"v"})"), "\"v\""},
          {"key", bodyOf("key", "\"data\":{\"k\":1,\"\xff\":2}"), "1"},
          {"meta", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":7,"data":{"k":1}})", "1"},
          {"renamed", bodyOf("other", R"("data":{"k":1})"), "1"}};
}

void check(Store& store, std::uint64_t unreadable) {
  const auto state = store.snapshot();
  for (const auto& odd : oddRecords()) {
    INFO(odd.name);
    const auto object = state.get("configmaps", "a", odd.name);
    REQUIRE(object);
    const auto* value = find(object->json(), {"data", "k"});
    REQUIRE(value);
    CHECK(jsonText(*value) == odd.reads);
    CHECK(checkRecordText(jsonText(object->json())).ok());
    // It can be written, and it can go.
    CHECK(
        store.commit({{Mutation::Kind::put, {"configmaps", "a", odd.name}, object->json(), object->revision()}}).ok());
  }
  CHECK(state.get("widgets.example.com", "", "w"));
  CHECK(!state.get("configmaps", "a", "unreadable"));
  CHECK(state.revision() >= unreadable);
  REQUIRE(state.get("roles", "a", "r\xef\xbf\xbd"));
}

std::vector<LogRecord> oddLog() {
  std::vector<LogRecord> out;
  for (auto& odd : oddRecords()) out.push_back(record(out.size() + 1, {"configmaps", "a", odd.name}, odd.body));
  out.push_back(record(out.size() + 1, {"widgets.example.com", "", "w"}, R"({"metadata":{"name":"w"}})"));
  out.push_back(
      record(out.size() + 1, {"roles", "a", "r\xff"}, "{\"metadata\":{\"name\":\"r\xff\",\"namespace\":\"a\"}}"));
  out.push_back(record(out.size() + 1, {"configmaps", "a", "unreadable"}, "[1]"));
  return out;
}

}  // namespace

TEST_CASE("a log with records that no version would write today opens, repaired, and goes on") {
  log::setLevel(log::Level::off);
  TempDir dir;
  const auto path = dir.file("state.db");
  const auto records = oddLog();
  {
    auto log = openSqliteLog(path);
    REQUIRE(log.ok());
    REQUIRE((*log)->append(records).ok());
  }
  for (int opening = 0; opening < 2; ++opening) {
    auto log = openSqliteLog(path);
    REQUIRE(log.ok());
    auto store = Store::open(std::move(*log), inlineOptions());
    REQUIRE(store.ok());
    check(**store, records.size());
    // Its history can be read from the beginning, or says that it must be listed anew; nothing else.
    auto watch = (*store)->watch("configmaps", 0, nullptr);
    REQUIRE(watch.ok());
    for (;;) {
      auto event = (*watch)->poll();
      if (!event.ok()) CHECK(event.error().code == Errc::gone);
      if (!event.ok() || !*event) break;
    }
    if (opening == 1) {
      REQUIRE((*store)->commit({{Mutation::Kind::remove, {"roles", "a", "r\xef\xbf\xbd"}, {}, {}}}).ok());
    }
  }
  auto log = openSqliteLog(path);
  auto store = Store::open(std::move(*log), inlineOptions());
  REQUIRE(store.ok());
  CHECK((*store)->snapshot().count("roles") == 0);  // under neither name
}

TEST_CASE("every prefix and every changed byte of an odd record opens as well") {
  log::setLevel(log::Level::off);
  for (const auto& odd : oddRecords()) {
    if (odd.name == "deep") continue;
    for (std::size_t i = 0; i < odd.body.size(); ++i) {
      std::string changed = odd.body;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ 0xa5);
      for (const auto& body : {odd.body.substr(0, i), changed}) {
        const auto disk = makeMemoryDisk();
        REQUIRE(openMemoryLog(disk)->append({record(1, {"configmaps", "a", "x"}, body)}).ok());
        auto store = Store::open(openMemoryLog(disk), inlineOptions());
        REQUIRE(store.ok());
        CHECK((*store)->revision() == 1);
        if (const auto object = (*store)->snapshot().get("configmaps", "a", "x"))
          CHECK(checkRecordText(jsonText(object->json())).ok());
      }
    }
  }
}

TEST_CASE("nothing that could not be read again gets into the log, and nothing is done of its transaction") {
  auto store = memoryStore();
  auto bytes = put("a", "p", "x\xff");
  auto key = put("a", "p");
  key.body["k\xfe"] = 1;
  auto number = put("a", "p");
  number.body["n"] = std::numeric_limits<double>::quiet_NaN();
  auto infinite = put("a", "p");
  infinite.body["n"] = std::numeric_limits<double>::infinity();
  auto deep = put("a", "p");
  deep.body["d"] = *parseJson(nested(kMostRecordDepth));
  for (auto* bad : {&bytes, &key, &number, &infinite, &deep}) {
    const auto done = store->commit({put("a", "before"), std::move(*bad)});
    REQUIRE(!done.ok());
    CHECK(done.error().code == Errc::badRequest);
    CHECK(isUtf8(done.error().message));
    CHECK(store->revision() == 0);
  }
  auto fine = put("a", "p", "\xf0\x9f\x98\x80");
  fine.body["d"] = *parseJson(nested(kMostRecordDepth - 1));
  CHECK(store->commit({std::move(fine)}).ok());
}
