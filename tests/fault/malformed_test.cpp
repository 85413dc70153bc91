// Objects that are not what their kind says, as a damaged disk or another version may leave them: they hold up
// nobody but themselves. STEER_SEED=n replays one seed.
#include <catch2/catch.hpp>

#include "cluster/apiserver/table.h"
#include "cluster/network/dns_table.h"
#include "cluster/network/service_table.h"
#include "core/log.h"
#include "reconciler/health/health.h"
#include "schemas/schema.h"
#include "tests/scenario/scenario.h"

using namespace steer;
using namespace steer::scenario;

namespace {

const std::string kWorld = R"(
{apiVersion: v1, kind: Service, metadata: {name: seen}, spec: {selector: {app: seen}, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: seen}, data: {k: v}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: seen}}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: seen-rc}
spec: {replicas: 1, selector: {a: rc}, template: {metadata: {labels: {a: rc}}, spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: seen}
spec: {completions: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
---
)" + deployment("seen", 2, "v1");

/// A value of another type, or none.
json::value wrong(std::mt19937_64& chance) {
  switch (chance() % 8) {
    case 0:
      return nullptr;
    case 1:
      return -7;
    case 2:
      return "nonsense";
    case 3:
      return json::array{1, "x", nullptr, json::object{}};
    case 4:
      return json::object{{"name", 3}, {"x", json::array{}}};
    case 5:
      return true;
    case 6:
      return 0.5;
    default:
      return json::array{};
  }
}

/// Every member but the object's address is replaced with a chance of one in `odds`.
void spoil(json::value& value, std::mt19937_64& chance, std::uint64_t odds, int depth = 0) {
  const auto each = [&](json::value& member) {
    if (chance() % odds == 0) member = wrong(chance);
    else spoil(member, chance, odds, depth + 1);
  };
  if (auto* object = value.if_object()) {
    for (auto& [key, member] : *object) {
      const bool address = depth < 2 && (key == "apiVersion" || key == "kind" || key == "name" || key == "namespace" ||
                                         key == "uid" || key == "metadata");
      if (!address) each(member);
    }
  } else if (auto* array = value.if_array()) {
    for (auto& member : *array) each(member);
  }
}

void smuggleSpoiled(Simulator& c, std::mt19937_64& chance) {
  const auto resources = {"deployments.apps",
                          "replicasets.apps",
                          "replicationcontrollers",
                          "pods",
                          "services",
                          "endpointslices.discovery.k8s.io",
                          "endpoints",
                          "nodes",
                          "jobs.batch",
                          "configmaps",
                          "namespaces",
                          "leases.coordination.k8s.io",
                          "events"};
  int n = 0;
  for (const auto* resource : resources) {
    for (const auto& object : c.state().list(resource)) {
      json::value body = object->json();
      auto& metadata = body.as_object()["metadata"].as_object();
      metadata["name"] = "bad-" + std::to_string(++n);
      metadata["uid"] = "00000000-bad0-0000-0000-" + std::to_string(100'000'000'000 + n);
      spoil(body, chance, 2 + chance() % 12);
      // A node without an agent takes pods until its lease is over: that would be no fault of the scheduler.
      if (resource == std::string_view("nodes")) ensureObject(body.as_object(), "spec")["unschedulable"] = true;
      const auto stored = c.smuggle(resource, std::move(body.as_object()));
      INFO((stored.ok() ? "" : stored.error().message));
      REQUIRE(stored.ok());
    }
  }
}

/// Whatever reads objects to show them, to route to them or to judge them.
void read(const Simulator& c) {
  const auto state = c.state();
  for (const auto* kind : SchemaRegistry::builtin().kinds()) {
    const auto objects = state.list(kind->resource());
    CHECK(arrayAt(tableOf(*kind, objects, {}, IncludeObject::object, c.now()), {"rows"}).size() == objects.size());
    for (const auto& object : objects) (void)assessHealth(*object);
  }
  bool routed = false;
  for (const auto& port : buildServiceTable(state, "node-1").ports)
    routed = routed || (port.service.starts_with("default/good") && port.inside.size() == 3);
  CHECK(routed);
  CHECK(resolve(DnsTable(state, {}), {"good.default.svc.cluster.local"}).records.size() == 1);
}

std::string story(const Simulator& c) {
  std::string out;
  for (const auto* resource : {"deployments.apps", "replicasets.apps", "pods", "events"})
    for (const auto& object : c.state().list(resource))
      if (jsonText(object->json()).find("good") != std::string::npos) out += jsonText(object->json()) + "\n";
  return out;
}

void survive(std::uint64_t seed) {
  INFO("STEER_SEED=" << seed);
  Simulator c({.seed = seed, .fleet = {.nodes = 3, .capacity = {{"cpu", "4k"}, {"memory", "8Ti"}, {"pods", "100k"}}}});
  std::mt19937_64 chance(seed);
  REQUIRE(c.apply(kWorld).ok());
  REQUIRE(c.advance(seconds(20)));
  smuggleSpoiled(c, chance);
  if (chance() % 2 == 0) c.crashServer();
  (void)c.advance(seconds(5));  // spoiled objects may keep their own controllers busy
  REQUIRE(c.apply(deployment("good", 3, "v1") +
                  "---\n{apiVersion: v1, kind: Service, metadata: {name: good}, spec: {selector: {app: good}, "
                  "ports: [{port: 80, targetPort: 8080}]}}\n")
              .ok());
  const bool healthy = c.advanceUntil([&] { return rolledOut(c, "good"); }, minutes(8));
  INFO("busy: " << c.driver().busy() << "\n" << story(c));
  REQUIRE(healthy);
  std::size_t ready = 0;
  c.state().each("endpointslices.discovery.k8s.io", "default", [&](const ObjectPtr& slice) {
    if (slice->label("kubernetes.io/service-name") == "good") ready += arrayAt(slice->json(), {"endpoints"}).size();
  });
  CHECK(ready == 3);
  read(c);
}

}  // namespace

TEST_CASE("malformed objects of every kind stop nobody else's controller, node or schedule") {
  if (!std::getenv("STEER_LOG")) log::setLevel(log::Level::off);
  if (const auto* one = std::getenv("STEER_SEED")) return survive(std::strtoull(one, nullptr, 10));
  for (std::uint64_t seed = 1; seed <= 60; ++seed) survive(seed);
}
