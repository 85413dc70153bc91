#include <catch2/catch.hpp>

#include <map>
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

namespace {

Write createService(const std::string& name, const std::string& spec = R"({"ports":[{"port":80}]})") {
  return Write::create("services", service(name, spec));
}

std::string addressOf(const Result<ObjectPtr>& service) {
  return service.ok() ? std::string(stringAt((*service)->spec(), {"clusterIP"})) : "refused";
}

}  // namespace

TEST_CASE("The only address that is free is found, whichever way it became free") {
  TestServer s(ApiServerOptions{.serviceCidr = "10.96.0.0/28"});
  std::map<std::string, std::string> given;
  for (int i = 0; i < 13; ++i) {
    const std::string name = "s" + std::to_string(i);
    given[name] = addressOf(s.client->write(createService(name)));
  }
  REQUIRE(addressOf(s.client->write(createService("late"))) == "refused");
  REQUIRE(s.client->write(Write::remove({"services", "default", "s4"})).ok());
  CHECK(addressOf(s.client->write(createService("late"))) == given["s4"]);
  REQUIRE(s.client
              ->write(Write::patch({"services", "default", "s7"}, PatchType::merge,
                                   parsed(R"({"spec":{"type":"ExternalName","externalName":"a.example"}})")))
              .ok());
  CHECK(addressOf(s.client->write(createService("later"))) == given["s7"]);
}

TEST_CASE("What a dry run gives out is different for each, and stays free") {
  TestServer s(ApiServerOptions{.serviceCidr = "10.96.0.0/28"});
  std::vector<Write> writes;
  for (int i = 0; i < 13; ++i) writes.push_back(createService("s" + std::to_string(i)));
  for (const bool dryRun : {true, false}) {
    std::set<std::string> addresses;
    for (const auto& result : s.client->batch(writes, {.dryRun = dryRun})) addresses.insert(addressOf(result));
    CHECK(addresses.size() == 13);
    CHECK(!addresses.contains("refused"));
  }
}

TEST_CASE("A restarted server knows which addresses and ports are given out") {
  const auto disk = makeMemoryDisk();
  ManualClock clock;
  Random random{7};
  const ApiServerOptions options{.serviceCidr = "10.96.0.0/28", .nodePortMin = 30000, .nodePortMax = 30001};
  const auto opened = [&] { return std::move(*Store::open(openMemoryLog(disk), {.inlineCommit = true})); };
  const std::string open = R"({"type":"NodePort","clusterIP":"10.96.0.9","ports":[{"port":80,"nodePort":30000}]})";
  {
    const auto store = opened();
    ApiServer api(*store, clock, random, options);
    REQUIRE(makeInProcessClient(api, systemIdentity())->write(createService("a", open)).ok());
  }
  const auto store = opened();
  ApiServer api(*store, clock, random, options);
  const auto client = makeInProcessClient(api, systemIdentity());
  CHECK(addressOf(client->write(createService("b", R"({"clusterIP":"10.96.0.9","ports":[{"port":80}]})"))) ==
        "refused");
  CHECK(addressOf(client->write(createService("b", R"({"type":"NodePort","ports":[{"port":80,"nodePort":30000}]})"))) ==
        "refused");
  const auto other = client->write(createService("b", R"({"type":"NodePort","ports":[{"port":80}]})"));
  REQUIRE(other.ok());
  CHECK(intAt(arrayAt((*other)->spec(), {"ports"}).at(0), {"nodePort"}) == 30001);
}

TEST_CASE("A node port is free for another protocol, but not where a health check listens") {
  TestServer s;
  const auto asks = [](const std::string& protocol, int port) {
    return R"({"type":"NodePort","ports":[{"port":80,"protocol":")" + protocol + R"(","nodePort":)" +
           std::to_string(port) + "}]}";
  };
  REQUIRE(s.client->write(createService("tcp", asks("TCP", 30100))).ok());
  CHECK(!s.client->write(createService("again", asks("TCP", 30100))).ok());
  CHECK(s.client->write(createService("udp", asks("UDP", 30100))).ok());
  const auto balanced = s.client->write(createService(
      "balanced",
      R"({"type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30200,"ports":[{"port":80}]})"));
  REQUIRE(balanced.ok());
  REQUIRE(intAt((*balanced)->spec(), {"healthCheckNodePort"}) == 30200);
  CHECK(!s.client->write(createService("on-it", asks("UDP", 30200))).ok());
  REQUIRE(s.client->write(Write::remove({"services", "default", "balanced"})).ok());
  CHECK(s.client->write(createService("on-it", asks("UDP", 30200))).ok());
}
