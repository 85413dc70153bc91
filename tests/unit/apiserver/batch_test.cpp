#include <catch2/catch.hpp>

#include "cluster/client/batch_codec.h"
#include "fixture.h"

using namespace steer;

TEST_CASE("A batch is one transaction in which later writes see earlier ones") {
  TestServer s;
  auto inShop = configMap("a");
  inShop["metadata"].get_object()["namespace"] = "shop";
  const auto before = s.store->revision();
  auto results = s.client->batch(
      {Write::create("namespaces", parsed(R"({"metadata":{"name":"shop"}})")), Write::create("configmaps", inShop),
       Write::patch({"configmaps", "shop", "a"}, PatchType::merge, parsed(R"({"data":{"k":"2"}})"))},
      {});
  for (const auto& result : results) REQUIRE(result.ok());
  CHECK(stringAt((*results[2])->json(), {"data", "k"}) == "2");
  // The namespace brought its default account.
  CHECK(s.store->revision() == before + 4);
}

TEST_CASE("A refused write of a batch leaves the others alone, or stops the rest") {
  TestServer s;
  const std::vector<Write> writes{Write::create("configmaps", configMap("a")),
                                  Write::create("configmaps", configMap("a")),
                                  Write::create("configmaps", configMap("b"))};
  auto proceed = s.client->batch(writes, {});
  CHECK(proceed[0].ok());
  CHECK(proceed[1].error().code == Errc::alreadyExists);
  CHECK(proceed[2].ok());
  TestServer other;
  auto stop = other.client->batch(writes, {.onError = OnError::stop});
  CHECK(stop[0].ok());
  CHECK(stop[2].error().code == Errc::cancelled);
  CHECK(!other.client->get({"configmaps", "default", "b"}).ok());
}

TEST_CASE("Two writes with the same revision in one batch: the second conflicts") {
  TestServer s;
  auto made = s.client->write(Write::create("configmaps", configMap("a")));
  json::object first = (*made)->json();
  json::object second = first;
  first["data"] = {{"k", "2"}};
  second["data"] = {{"k", "3"}};
  auto results = s.client->batch({Write::update("configmaps", first), Write::update("configmaps", second)}, {});
  CHECK(results[0].ok());
  CHECK(results[1].error().code == Errc::conflict);
}

TEST_CASE("A dry run answers as the real run would and keeps nothing") {
  TestServer s;
  const auto before = s.store->revision();
  BatchOptions dry;
  dry.dryRun = true;
  auto results =
      s.client->batch({Write::create("configmaps", configMap("a")),
                       Write::patch({"configmaps", "default", "a"}, PatchType::merge, parsed(R"({"data":{"k":"2"}})"))},
                      dry);
  REQUIRE(results[1].ok());
  CHECK(stringAt((*results[1])->json(), {"data", "k"}) == "2");
  CHECK(s.store->revision() == before);
  CHECK(!s.client->get({"configmaps", "default", "a"}).ok());
}

TEST_CASE("A batch over HTTP gives one result per write") {
  TestServer s;
  const auto body = encodeBatch({Write::create("configmaps", configMap("a")), Write::remove({"pods", "default", "x"})});
  const auto response = s.call("POST", "/apis/steersman.dev/v1/batch", body, "application/json");
  REQUIRE(response.status == 200);
  auto results = decodeResults(*parseJson(response.body));
  REQUIRE(results.ok());
  CHECK(results->at(0).ok());
  CHECK(results->at(1).error().message == "pods \"x\" not found");
}

TEST_CASE("A failing disk is reported to every write of the batch, and nothing is there") {
  auto disk = makeMemoryDisk();
  auto store = std::move(*Store::open(openMemoryLog(disk), {.inlineCommit = true}));
  ManualClock clock;
  Random random{1};
  ApiServer api(*store, clock, random, {});
  auto client = makeInProcessClient(api, systemIdentity());
  failAppends(*disk, 0, 1);
  auto results =
      client->batch({Write::create("configmaps", configMap("a")), Write::create("configmaps", configMap("b"))}, {});
  CHECK(results[0].error().code == Errc::io);
  CHECK(results[1].error().code == Errc::io);
  CHECK(!client->get({"configmaps", "default", "a"}).ok());
  CHECK(client->write(Write::create("configmaps", configMap("a"))).ok());
}
