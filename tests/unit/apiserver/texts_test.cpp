// Bytes that are no text are refused at each door, as a bad request, and leave nothing behind.
#include <catch2/catch.hpp>

#include "cluster/client/batch_codec.h"
#include "core/barrier.h"
#include "core/log.h"
#include "core/utf8.h"
#include "fixture.h"

using namespace steer;

namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

std::string map(const std::string& name, const std::string& value) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("},"data":{"a":")" + value +
         "\"}}";
}

std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

std::string protobufMap(const std::string& key, const std::string& value) {
  const auto object = field(1, field(1, "u8")) + field(2, field(1, key) + field(2, value));
  return std::string("k8s\0", 4) + field(1, field(1, "v1") + field(2, "ConfigMap")) + field(2, object);
}

}  // namespace

TEST_CASE("Bodies, queries and paths that are not UTF-8 are bad requests in every format") {
  TestServer s;
  struct Asked {
    std::string method, target, body, type;
  };
  const std::vector<Asked> all{
      {"POST", kMaps, map("u", "\xff\xfe"), "application/json"},
      {"POST", kMaps, map("u", R"(\ud800)"), "application/json"},
      {"POST", kMaps, "metadata: {name: u}\ndata: {a: \"\xff\"}\n", "application/yaml"},
      {"POST", kMaps, "metadata: {name: u}\ndata: {a: \"\\ud800\"}\n", "application/yaml"},
      {"POST", kMaps, protobufMap("a", "\xff\xfe"), "application/vnd.kubernetes.protobuf"},
      {"POST", kMaps, protobufMap("\xff", "a"), "application/vnd.kubernetes.protobuf"},
      {"POST", std::string(kMaps) + "?fieldManager=\xff", map("u", "1"), "application/json"},
      {"PATCH", std::string(kMaps) + "/u?fieldManager=\xff", map("u", "1"), "application/apply-patch+yaml"},
      {"PATCH", std::string(kMaps) + "/\xff?fieldManager=m", "data: {a: b}", "application/apply-patch+yaml"},
      {"POST", "/apis/steersman.dev/v1/batch", R"({"writes":[{"verb":"create","fieldManager":"\udfff"}]})",
       "application/json"},
      {"GET", std::string(kMaps) + "?labelSelector=a\xff", "", ""},
  };
  const auto before = s.store->revision();
  for (const auto& asked : all) {
    INFO(asked.method << " " << asked.type << " " << toUtf8(asked.target));
    const auto answer = s.call(asked.method, asked.target, asked.body, asked.type);
    CHECK(answer.status == 400);
    CHECK(isUtf8(answer.body));
    CHECK(stringAt(s.object(answer), {"reason"}) == "BadRequest");
  }
  CHECK(s.store->revision() == before);
}

TEST_CASE("A client that calls itself by odd bytes is named as far as that is text") {
  TestServer s;
  Request request;
  const std::string target = std::string(kMaps) + "/u";
  REQUIRE(s.call("PATCH", target + "?fieldManager=m", map("u", "1"), "application/apply-patch+yaml").status == 201);
  request.method = "PUT";
  request.path = target;
  request.headers.emplace("content-type", "application/json");
  request.headers.emplace("user-agent", "a\xff\x01" + std::string(300, 'b') + "/1.0");
  request.body = map("u", "2");
  request.identity = s.admin;
  REQUIRE(s.api.handle(request).status == 200);
  const auto stored = s.store->snapshot().get("configmaps", "default", "u");
  std::size_t named = 0;
  for (const auto& entry : arrayAt(stored->metadata(), {"managedFields"})) {
    const auto manager = stringAt(entry, {"manager"});
    CHECK(isUtf8(manager));
    CHECK(manager.size() <= 128);
    named += manager.starts_with(
                 "a\xef\xbf\xbd"
                 "bbb")
                 ? 1
                 : 0;
  }
  CHECK(named == 1);
}

TEST_CASE("Who asks to be somebody whose name is no text is refused") {
  TestServer s;
  Request request;
  request.method = "GET";
  request.path = kMaps;
  request.headers.emplace("impersonate-user", "\xff");
  request.identity = s.admin;
  CHECK(s.api.handle(request).status == 400);
}

TEST_CASE("A write inside the program that is no text is refused before the log, not stored") {
  TestServer s;
  auto body = configMap("inside");
  body["data"].get_object()["k"] = "\xff";
  const auto done = s.client->write(Write::create("configmaps", std::move(body)));
  REQUIRE(!done.ok());
  CHECK(done.error().code == Errc::badRequest);
  CHECK(!s.client->get({"configmaps", "default", "inside"}).ok());
}

TEST_CASE("A server starts on a state that no version would write today, and answers in JSON") {
  log::setLevel(log::Level::off);
  const auto disk = makeMemoryDisk();
  const std::vector<std::pair<ObjectRef, std::string>> stored{
      {{"namespaces", "", "default"}, "[1]"},
      {{"namespaces", "", "odd"}, R"({"metadata":{"labels":[1],"finalizers":"x","ownerReferences":{}},"spec":7})"},
      {{"services", "default", "kubernetes"}, R"({"metadata":[],"spec":5})"},
      {{"services", "default", "odd"}, R"({"spec":{"clusterIPs":{"a":1},"ports":"none","clusterIP":17}})"},
      {{"clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"}, R"({"rules":{"a":NaN}})"},
      {{"clusterrolebindings.rbac.authorization.k8s.io", "", "b"}, R"({"subjects":3,"roleRef":[]})"},
      {{"serviceaccounts", "default", "default"}, "nonsense"},
      {{"widgets.example.com", "x", "y"}, "{}"},
      {{"configmaps", "default", "c"}, "{\"data\":{\"k\":\"\xff\"}}"},
      {{"pods", "default", "p"}, "{\"spec\":" + std::string(2000, '[') + std::string(2000, ']') + "}"}};
  std::vector<LogRecord> records;
  for (const auto& [target, body] : stored) records.push_back({records.size() + 1, false, target, body, 0});
  REQUIRE(openMemoryLog(disk)->append(records).ok());
  auto store = Store::open(openMemoryLog(disk), {.inlineCommit = true});
  REQUIRE(store.ok());
  ManualClock clock;
  Random random{7};
  ApiServer api(**store, clock, random, {});
  for (const auto* path : {"/api/v1/namespaces", "/api/v1/services", "/api/v1/configmaps", "/api/v1/pods",
                           "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/api/v1/serviceaccounts"}) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.identity = systemIdentity();
    const auto answer = api.handle(request);
    INFO(path << " " << answer.body);
    CHECK(answer.status == 200);
    CHECK(parseJson(answer.body).ok());
  }
  CHECK(barrier::faults().empty());
}
