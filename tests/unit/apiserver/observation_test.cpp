#include <catch2/catch.hpp>

#include "cluster/client/batch_codec.h"
#include "fixture.h"

using namespace steer;

namespace {

const char* kManager = "steersman";

json::object wantedMap(const std::string& value) {
  json::object body = configMap("a");
  body["metadata"].get_object()["namespace"] = "default";
  body["metadata"].get_object()["labels"] = {{"steersman.dev/application", "root"}};
  body["data"] = {{"k", value}};
  return body;
}

Result<ObjectPtr> applied(Client& client, const json::object& body, bool dryRun) {
  BatchOptions options;
  options.dryRun = dryRun;
  return client.batch({Write::apply("configmaps", body, kManager, true)}, options).front();
}

Observation asked(Client& client, const json::object& body) {
  ObserveRequest request;
  request.items.push_back({{"configmaps", "default", "a"}, applyDigest(body, kManager)});
  request.label = "steersman.dev/application=root";
  auto seen = client.observe(request);
  REQUIRE(seen.ok());
  REQUIRE(seen->items.size() == 1);
  return std::move(*seen);
}

}  // namespace

TEST_CASE("What applying was seen to leave as it is, is told without its body") {
  TestServer s;
  const auto body = wantedMap("1");
  CHECK(!asked(*s.client, body).items[0].unchanged);
  CHECK(asked(*s.client, body).items[0].live == nullptr);
  REQUIRE(applied(*s.client, body, false).ok());
  const auto first = asked(*s.client, body);
  CHECK(!first.items[0].unchanged);
  CHECK(first.items[0].live != nullptr);
  REQUIRE(applied(*s.client, body, true).ok());
  CHECK(asked(*s.client, body).items[0].unchanged);
  CHECK(!asked(*s.client, wantedMap("2")).items[0].unchanged);
}

TEST_CASE("A change by someone else ends what was known of an object") {
  TestServer s;
  const auto body = wantedMap("1");
  REQUIRE(applied(*s.client, body, false).ok());
  REQUIRE(applied(*s.client, body, true).ok());
  REQUIRE(
      s.client->write(Write::patch({"configmaps", "default", "a"}, PatchType::merge, parsed(R"({"data":{"k":"9"}})")))
          .ok());
  const auto seen = asked(*s.client, body);
  CHECK(!seen.items[0].unchanged);
  REQUIRE(seen.items[0].live != nullptr);
  CHECK(stringAt(seen.items[0].live->json(), {"data", "k"}) == "9");
}

TEST_CASE("A dry run of a change teaches the server nothing about what lives") {
  TestServer s;
  REQUIRE(applied(*s.client, wantedMap("1"), false).ok());
  BatchOptions dry;
  dry.dryRun = true;
  // On the fork the second apply changes nothing; the live object is another one.
  s.client->batch({Write::apply("configmaps", wantedMap("2"), kManager, true),
                   Write::apply("configmaps", wantedMap("2"), kManager, true)},
                  dry);
  CHECK(!asked(*s.client, wantedMap("2")).items[0].unchanged);
}

TEST_CASE("A status written by a controller does not end what is known of the rest") {
  TestServer s;
  json::object body = parsed(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  const ObjectRef ref{"namespaces", "", "shop"};
  BatchOptions dry;
  dry.dryRun = true;
  REQUIRE(s.client->batch({Write::apply("namespaces", body, kManager, true)}, {}).front().ok());
  REQUIRE(s.client->batch({Write::apply("namespaces", body, kManager, true)}, dry).front().ok());
  json::object live = (*s.client->get(ref))->json();
  live["status"] = {{"phase", "Active"}, {"conditions", json::array{{{"type", "Seen"}, {"status", "True"}}}}};
  const auto written = s.client->write(Write::updateStatus("namespaces", live));
  REQUIRE(written.ok());
  REQUIRE((*written)->revision() != Object::make(live)->revision());
  ObserveRequest request;
  request.items.push_back({ref, applyDigest(body, kManager)});
  CHECK(s.client->observe(request)->items[0].unchanged);
}

TEST_CASE("Others that carry the label are told with their bodies, those asked for are not told twice") {
  TestServer s;
  REQUIRE(applied(*s.client, wantedMap("1"), false).ok());
  json::object other = wantedMap("1");
  other["metadata"].get_object()["name"] = "b";
  REQUIRE(applied(*s.client, other, false).ok());
  const auto seen = asked(*s.client, wantedMap("1"));
  REQUIRE(seen.others.size() == 1);
  CHECK(seen.others[0].ref.name == "b");
  CHECK(seen.others[0].ref.resource == "configmaps");
}

TEST_CASE("Who may not read secrets learns nothing of them by an observation") {
  TestServer s;
  const auto stranger = makeInProcessClient(s.api, Identity{"bob", {"system:authenticated"}});
  ObserveRequest request;
  request.items.push_back({{"secrets", "default", "a"}, ""});
  const auto seen = stranger->observe(request);
  REQUIRE(!seen.ok());
  CHECK(seen.error().code == Errc::forbidden);
}

TEST_CASE("An observation survives the wire, and another shape is an error") {
  TestServer s;
  REQUIRE(applied(*s.client, wantedMap("1"), false).ok());
  ObserveRequest request;
  request.items.push_back({{"configmaps", "default", "a"}, "00"});
  request.items.push_back({{"configmaps", "default", "none"}, "00"});
  const auto asked = decodeObserveRequest(json::value(encodeObserveRequest(request)));
  REQUIRE(asked.ok());
  CHECK(asked->items[0].ref == request.items[0].ref);
  const auto seen = s.client->observe(*asked);
  const auto back = decodeObservation(json::value(encodeObservation(*seen)), request);
  REQUIRE(back.ok());
  CHECK(jsonText(back->items[0].live->json()) == jsonText(seen->items[0].live->json()));
  CHECK(back->items[1].live == nullptr);
  CHECK(!decodeObservation(parsed(R"({"items":[true],"others":[]})"), request).ok());
  CHECK(!decodeObserveRequest(parsed(R"({"items":[["configmaps"]]})")).ok());
}

TEST_CASE("A batch can answer briefly: who the object is, not what it holds") {
  TestServer s;
  const auto body = encodeBatch({Write::create("configmaps", configMap("a"))});
  const auto brief = s.object(s.call("POST", "/apis/steersman.dev/v1/batch?answer=brief", body));
  const auto& object = objectAt(arrayAt(brief, {"results"}).at(0), {"object"});
  CHECK(stringAt(object, {"kind"}) == "ConfigMap");
  CHECK(stringAt(object, {"metadata", "name"}) == "a");
  CHECK(!stringAt(object, {"metadata", "resourceVersion"}).empty());
  CHECK(!object.contains("data"));
  CHECK(!objectAt(object, {"metadata"}).contains("managedFields"));
  const auto patch =
      encodeBatch({Write::patch({"configmaps", "default", "a"}, PatchType::merge, parsed(R"({"data":{"k":"2"}})"))});
  const auto changed = s.object(s.call("POST", "/apis/steersman.dev/v1/batch?answer=briefCreated", patch));
  CHECK(stringAt(objectAt(arrayAt(changed, {"results"}).at(0), {"object"}), {"data", "k"}) == "2");
}

TEST_CASE("what is kept from the reader travels as an identity, and a refusal in words") {
  ObserveRequest request;
  request.items = {{{"configmaps", "default", "a"}, ""}, {{"configmaps", "default", "b"}, ""}};
  request.actAs = "system:serviceaccount:default:reader";
  request.rightsOnly = true;
  const auto asked = decodeObserveRequest(encodeObserveRequest(request));
  REQUIRE(asked.ok());
  CHECK(asked->actAs == request.actAs);
  CHECK(asked->rightsOnly);
  Observation answer;
  answer.items.push_back({true, nullptr, false, "may not"});
  answer.items.push_back({false, Object::make(configMap("b")), true, ""});
  answer.others.push_back({{"configmaps", "default", "c"}, Object::make(configMap("c")), true});
  const auto read = decodeObservation(encodeObservation(answer), request);
  REQUIRE(read.ok());
  CHECK(read->items[0].unchanged);
  CHECK(read->items[0].refused == "may not");
  CHECK(read->items[1].hidden);
  CHECK(read->items[1].live->name() == "b");
  CHECK(read->others[0].hidden);
}
