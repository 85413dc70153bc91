#include "cluster/network/dns_table.h"

#include <catch2/catch.hpp>

#include "tests/unit/cluster_network/world.h"

using namespace steer;
using namespace steer::test;
using Code = DnsAnswer::Code;

namespace {

DnsTable table() {
  World world;
  world.service(webService())
      .service(R"({"metadata":{"namespace":"shop","name":"db"},"spec":{"clusterIP":"None","ports":[{"port":5432}]}})")
      .service(R"({"metadata":{"namespace":"shop","name":"idle"},"spec":{"clusterIP":"None"}})")
      .service(
          R"({"metadata":{"namespace":"shop","name":"pay"},"spec":{"type":"ExternalName","externalName":"Pay.Example.com."}})")
      .service(
          R"({"metadata":{"namespace":"shop","name":"www"},"spec":{"type":"ExternalName","externalName":"web.shop.svc.cluster.local"}})")
      .slice(R"({"addressType":"IPv4","metadata":{"namespace":"shop","name":"db-1",
        "labels":{"kubernetes.io/service-name":"db"}},"ports":[{"name":"sql","port":5432,"protocol":"TCP"}],
        "endpoints":[{"addresses":["10.1.1.5"],"hostname":"db-0","conditions":{"ready":true}},
                     {"addresses":["10.1.1.6"],"conditions":{"ready":true}},
                     {"addresses":["10.1.1.7"],"conditions":{"ready":false}}]})");
  DnsOptions options;
  options.reverseRanges = {*Cidr::parse("10.96.0.0/16"), *Cidr::parse("10.1.0.0/16")};
  return DnsTable(world.snapshot(), options);
}

std::vector<std::string> data(const DnsAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& r : answer.records) out.push_back(r.data);
  return out;
}

DnsAnswer ask(const std::string& name, DnsType type = DnsType::a) { return resolve(table(), {name, type}); }
using Data = std::vector<std::string>;

}  // namespace

TEST_CASE("a service name answers its ClusterIP, in any case and with or without the final dot") {
  CHECK(data(ask("web.shop.svc.cluster.local")) == Data{"10.96.0.10"});
  CHECK(data(ask("WEB.Shop.svc.Cluster.Local.")) == Data{"10.96.0.10"});
}

TEST_CASE("a headless service answers its ready endpoints, each of which has a name of its own") {
  CHECK(data(ask("db.shop.svc.cluster.local")) == Data{"10.1.1.5", "10.1.1.6"});
  CHECK(data(ask("db-0.db.shop.svc.cluster.local")) == Data{"10.1.1.5"});
  CHECK(data(ask("10-1-1-6.db.shop.svc.cluster.local")) == Data{"10.1.1.6"});
  CHECK(ask("10-1-1-7.db.shop.svc.cluster.local").code == Code::noSuchName);
}

TEST_CASE("no such name and no such record are different answers") {
  CHECK(ask("nobody.shop.svc.cluster.local").code == Code::noSuchName);
  CHECK(ask("web.shop.svc.cluster.local", DnsType::aaaa).code == Code::noData);
  CHECK(ask("idle.shop.svc.cluster.local").code == Code::noData);
  CHECK(ask("shop.svc.cluster.local").code == Code::noData);
  CHECK(ask("svc.cluster.local").code == Code::noData);
  CHECK(ask("example.com").code == Code::notOurs);
  CHECK(ask("notcluster.local").code == Code::notOurs);
}

TEST_CASE("a named port has a service record whose target's address comes along") {
  const auto web = ask("_http._tcp.web.shop.svc.cluster.local", DnsType::srv);
  REQUIRE(web.records.size() == 1);
  CHECK(web.records[0].port == 80);
  CHECK(web.records[0].data == "web.shop.svc.cluster.local");
  REQUIRE(web.additional.size() == 1);
  CHECK(web.additional[0].data == "10.96.0.10");
  const auto db = ask("_sql._tcp.db.shop.svc.cluster.local", DnsType::srv);
  CHECK(data(db) == Data{"10-1-1-6.db.shop.svc.cluster.local", "db-0.db.shop.svc.cluster.local"});
}

TEST_CASE("an external name is an alias: followed inside the cluster, handed on outside") {
  const auto outside = ask("pay.shop.svc.cluster.local");
  CHECK(data(outside) == Data{"pay.example.com"});
  CHECK(outside.continueAt == "pay.example.com");
  const auto inside = ask("www.shop.svc.cluster.local");
  CHECK(data(inside) == Data{"web.shop.svc.cluster.local", "10.96.0.10"});
  CHECK(inside.continueAt.empty());
}

TEST_CASE("an address leads back to its name; unknown addresses of the cluster have none") {
  CHECK(data(ask("10.0.96.10.in-addr.arpa", DnsType::ptr)) == Data{"web.shop.svc.cluster.local"});
  CHECK(data(ask("5.1.1.10.in-addr.arpa", DnsType::ptr)) == Data{"db-0.db.shop.svc.cluster.local"});
  CHECK(ask("99.0.96.10.in-addr.arpa", DnsType::ptr).code == Code::noSuchName);
  CHECK(ask("8.8.8.8.in-addr.arpa", DnsType::ptr).code == Code::notOurs);
}

TEST_CASE("aliases that point at each other end") {
  World world;
  for (const auto& [name, target] : {std::pair{"a", "b"}, std::pair{"b", "a"}})
    world.service(R"({"metadata":{"namespace":"x","name":")" + std::string(name) +
                  R"("},"spec":{"type":"ExternalName","externalName":")" + target + R"(.x.svc.cluster.local"}})");
  const DnsTable loop(world.snapshot(), {});
  CHECK(resolve(loop, {"a.x.svc.cluster.local", DnsType::a}).records.size() <= 8);
}

TEST_CASE("a pod's dashed address is a name under its namespace") {
  CHECK(data(ask("10-1-2-3.shop.pod.cluster.local")) == Data{"10.1.2.3"});
  CHECK(ask("10-1-2.shop.pod.cluster.local").code == Code::noSuchName);
}
