#include <catch2/catch.hpp>

#include "cluster.h"
#include "manifests.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"

using namespace steer;

namespace {

/// A random but valid set of objects with fields that defaulting touches.
std::vector<WantedObject> randomShop(Random& random) {
  std::vector<WantedObject> out{aNamespace("shop")};
  const auto count = 1 + random.below(12);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = "o" + std::to_string(random.below(8)) + "-" + std::to_string(i);
    switch (random.below(3)) {
      case 0:
        out.push_back(aConfigMap(name, std::to_string(random.below(5))));
        break;
      case 1: {
        auto service = aService(name);
        auto& spec = service.body["spec"].as_object();
        if (random.below(2) == 0) spec["type"] = "NodePort";
        if (random.below(2) == 0) spec["ports"].as_array()[0].as_object()["name"] = "http";
        if (random.below(3) == 0) spec["sessionAffinity"] = "ClientIP";
        out.push_back(std::move(service));
        break;
      }
      default: {
        auto deployment = aDeployment(name, static_cast<int>(random.below(4)), "app" + std::to_string(i));
        auto& spec = deployment.body["spec"].as_object();
        if (random.below(2) == 0) spec["strategy"] = json::object{{"type", "Recreate"}};
        if (random.below(2) == 0) {
          auto& container = spec["template"].as_object()["spec"].as_object()["containers"].as_array()[0].as_object();
          container["ports"] = json::array{json::object{{"containerPort", 80}}};
          container["readinessProbe"] = json::object{{"httpGet", json::object{{"port", 80}, {"path", "/"}}}};
          container["resources"] = json::object{{"limits", json::object{{"memory", "1Gi"}, {"cpu", "1000m"}}}};
        }
        out.push_back(std::move(deployment));
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("planning after applying is empty, and the cluster holds exactly what was asked for") {
  TestCluster c;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    const auto wanted = randomShop(random);
    auto plan = makePlan(*c.client, wanted, {});
    REQUIRE(plan.ok());
    ApplyRun run(*c.client, std::move(*plan));
    while (!run.finished())
      if (const auto next = run.step(c.clock.now())) c.clock.advanceTo(*next);
    for (const auto& row : run.rows())
      if (row.error) FAIL(run.plan().changes[row.change].text() << ": " << row.error->message);
    auto again = makePlan(*c.client, wanted, {});
    REQUIRE(again.ok());
    for (const auto& change : again->changes) {
      INFO(change.text() << " " << actionName(change.action));
      CHECK(change.action == PlanAction::none);
    }
    std::size_t owned = 0;
    for (const auto& resource : ownableResources()) {
      const auto list = c.client->list(resource, {});
      if (!list.ok()) continue;  // a kind that this server does not serve
      for (const auto& object : list->items)
        if (ownedBy(*object, "root")) ++owned;
    }
    CHECK(owned == wanted.size());
  }
}
