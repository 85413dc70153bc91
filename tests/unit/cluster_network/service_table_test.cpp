#include "cluster/network/service_table.h"

#include <catch2/catch.hpp>

#include "tests/unit/cluster_network/world.h"

using namespace steer;
using namespace steer::test;
using Endpoints = std::vector<Endpoint>;

namespace {

const std::string threeEndpoints = R"([
  {"addresses":["10.1.2.3"],"nodeName":"n2","conditions":{"ready":true}},
  {"addresses":["10.1.1.3"],"nodeName":"n1","conditions":{"ready":true}},
  {"addresses":["10.1.1.9"],"nodeName":"n1","conditions":{"ready":false}}])";

ServicePort only(const World& world, const std::string& node = "n1") {
  const auto table = buildServiceTable(world.snapshot(), node);
  REQUIRE(table.ports.size() == 1);
  return table.ports[0];
}

}  // namespace

TEST_CASE("a service port is answered by the ready endpoints at the slice's port of the same name") {
  World world;
  world.service(webService()).slice(webSlice(threeEndpoints));
  const auto port = only(world);
  CHECK(port.service == "shop/web:http");
  CHECK(port.inside == Endpoints{{"10.1.1.3", 8080}, {"10.1.2.3", 8080}});
  CHECK(port.onThisNode == std::vector<std::string>{"10.1.1.3"});
}

TEST_CASE("an endpoint that is listed in two slices answers once") {
  World world;
  world.service(webService()).slice(webSlice(threeEndpoints)).slice(webSlice(threeEndpoints, "web-2"));
  CHECK(only(world).inside.size() == 2);
}

TEST_CASE("terminating endpoints answer only while no other is ready") {
  const std::string terminating =
      R"({"addresses":["10.1.1.4"],"conditions":{"ready":false,"serving":true,"terminating":true}})";
  const std::string dead =
      R"({"addresses":["10.1.1.5"],"conditions":{"ready":false,"serving":false,"terminating":true}})";
  World both;
  both.service(webService()).slice(webSlice("[" + terminating + R"(,{"addresses":["10.1.1.6"]}])"));
  CHECK(only(both).inside == Endpoints{{"10.1.1.6", 8080}});
  World last;
  last.service(webService()).slice(webSlice("[" + terminating + "," + dead + "]"));
  CHECK(only(last).inside == Endpoints{{"10.1.1.4", 8080}});
}

TEST_CASE("policy Local keeps to this node's endpoints, and knows that others exist") {
  World world;
  world.service(webService(R"("internalTrafficPolicy":"Local","externalTrafficPolicy":"Local",)"))
      .slice(webSlice(threeEndpoints));
  CHECK(only(world, "n1").inside == Endpoints{{"10.1.1.3", 8080}});
  CHECK(only(world, "n1").outside == Endpoints{{"10.1.1.3", 8080}});
  CHECK(only(world, "n3").inside.empty());
  CHECK(only(world, "n3").anyEndpoint);
  CHECK(only(world, "").inside.empty());
}

TEST_CASE("services of other namespaces, headless ones and aliases do not mix in") {
  World world;
  world.service(webService())
      .service(R"({"metadata":{"namespace":"shop","name":"db"},"spec":{"clusterIP":"None","ports":[{"port":1}]}})")
      .service(R"({"metadata":{"namespace":"shop","name":"ext"},"spec":{"type":"ExternalName","externalName":"a.b"}})")
      .slice(R"({"addressType":"IPv4","metadata":{"namespace":"other","name":"web-1",
        "labels":{"kubernetes.io/service-name":"web"}},"ports":[{"name":"http","port":8080}],
        "endpoints":[{"addresses":["10.1.7.7"]}]})");
  CHECK(only(world).inside.empty());
  CHECK_FALSE(only(world).anyEndpoint);
}

TEST_CASE("client affinity lasts three hours unless the service says otherwise") {
  World plain, said;
  plain.service(webService(R"("sessionAffinity":"ClientIP",)"));
  said.service(
      webService(R"("sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},)"));
  CHECK(only(plain).affinitySeconds == 10800);
  CHECK(only(said).affinitySeconds == 60);
}
