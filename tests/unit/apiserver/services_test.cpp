#include <catch2/catch.hpp>

#include <set>

#include "fixture.h"

using namespace steer;

TEST_CASE("Every service gets an address of its own, also within one batch") {
  TestServer s(ApiServerOptions{.serviceCidr = "10.96.0.0/28"});
  std::vector<Write> writes;
  for (int i = 0; i < 20; ++i)
    writes.push_back(Write::create("services", service("s" + std::to_string(i), R"({"ports":[{"port":80}]})")));
  std::set<std::string> addresses;
  std::size_t refused = 0;
  for (const auto& result : s.client->batch(writes, {})) {
    if (!result.ok()) ++refused;
    else addresses.emplace(stringAt((*result)->spec(), {"clusterIP"}));
  }
  // 16 addresses without the network, the broadcast and the kubernetes service.
  CHECK(addresses.size() == 13);
  CHECK(refused == 7);
}

TEST_CASE("An address becomes free with its service") {
  TestServer s;
  const auto body = service("a", R"({"clusterIP":"10.96.0.77","ports":[{"port":80}]})");
  REQUIRE(s.client->write(Write::create("services", body)).ok());
  auto other = service("b", R"({"clusterIP":"10.96.0.77","ports":[{"port":80}]})");
  CHECK(s.client->write(Write::create("services", other)).error().code == Errc::invalid);
  REQUIRE(s.client->write(Write::remove({"services", "default", "a"})).ok());
  CHECK(s.client->write(Write::create("services", other)).ok());
}

TEST_CASE("A node port comes with the type and goes with it; the address stays") {
  TestServer s;
  auto made = s.client->write(Write::create("services", service("a", R"({"ports":[{"port":80}]})")));
  REQUIRE(made.ok());
  const std::string ip(stringAt((*made)->spec(), {"clusterIP"}));
  const ObjectRef a{"services", "default", "a"};
  auto open = s.client->write(Write::patch(a, PatchType::merge, parsed(R"({"spec":{"type":"NodePort"}})")));
  REQUIRE(open.ok());
  const auto port = intAt(arrayAt((*open)->spec(), {"ports"}).at(0), {"nodePort"});
  CHECK(port >= 30000);
  CHECK(port <= 32767);
  CHECK(stringAt((*open)->spec(), {"externalTrafficPolicy"}) == "Cluster");
  auto closed = s.client->write(Write::patch(a, PatchType::merge, parsed(R"({"spec":{"type":"ClusterIP"}})")));
  REQUIRE(closed.ok());
  CHECK(intAt(arrayAt((*closed)->spec(), {"ports"}).at(0), {"nodePort"}) == 0);
  CHECK(stringAt((*closed)->spec(), {"clusterIP"}) == ip);
}

TEST_CASE("A replacement that leaves the address out keeps it; another one is refused") {
  TestServer s;
  auto made = s.client->write(Write::create("services", service("a", R"({"ports":[{"port":80}]})")));
  auto kept = s.client->write(Write::update("services", service("a", R"({"ports":[{"port":81}]})")));
  REQUIRE(kept.ok());
  CHECK(stringAt((*kept)->spec(), {"clusterIP"}) == stringAt((*made)->spec(), {"clusterIP"}));
  const auto moved =
      s.client->write(Write::update("services", service("a", R"({"clusterIP":"10.96.0.5","ports":[{"port":81}]})")));
  CHECK(moved.error().code == Errc::invalid);
}

TEST_CASE("Two ports without names are refused") {
  TestServer s;
  const auto refused =
      s.client->write(Write::create("services", service("a", R"({"ports":[{"port":80},{"port":81}]})")));
  REQUIRE(!refused.ok());
  CHECK(refused.error().causes.at(0).field == "spec.ports[0].name");
}

TEST_CASE("The API's own service stands at the first address") {
  TestServer s(ApiServerOptions{.advertiseAddress = "192.0.2.7", .advertisePort = 7443});
  const auto service = s.client->get({"services", "default", "kubernetes"});
  REQUIRE(service.ok());
  CHECK(stringAt((*service)->spec(), {"clusterIP"}) == "10.96.0.1");
  CHECK(s.client->get({"endpoints", "default", "kubernetes"}).ok());
  CHECK(s.client->get({"endpointslices.discovery.k8s.io", "default", "kubernetes"}).ok());
  for (const char* ns : {"default", "kube-system", "kube-public", "kube-node-lease"})
    CHECK(s.client->get({"namespaces", "", ns}).ok());
}
