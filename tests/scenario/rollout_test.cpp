// Rollouts in a whole simulated cluster.
#include <catch2/catch.hpp>

#include "tests/scenario/scenario.h"

using namespace steer;
using namespace steer::scenario;

TEST_CASE("a deployment runs, and a rollout never has fewer ready pods than maxUnavailable allows") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Simulator c({.seed = seedFor(seed), .fleet = {.nodes = 3}});
    INFO("STEER_SEED=" << seedFor(seed));
    REQUIRE(c.apply(deployment("web", 4, "v1", "maxSurge: 1, maxUnavailable: 1")).ok());
    REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 4; }, seconds(30)));
    std::size_t least = 4, most = 0;
    c.driver().setBetweenSteps([&] {
      least = std::min(least, c.ready("default", "app=web"));
      most = std::max(most, active(c, "app=web"));
    });
    REQUIRE(c.apply(deployment("web", 4, "v2", "maxSurge: 1, maxUnavailable: 1")).ok());
    REQUIRE(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(120)));
    c.driver().setBetweenSteps({});
    CHECK(least >= 3);
    CHECK(most <= 5);
    for (const auto& pod : c.pods("default", "app=web"))
      if (!pod->deleting()) CHECK(imageOf(*pod) == "v2");
  }
}

TEST_CASE("Recreate never runs two versions at once") {
  Simulator c({.seed = seedFor(7), .fleet = {.nodes = 2}});
  auto text = [](const std::string& image) {
    return deployment("web", 3, image, "", "  strategy: {type: Recreate}\n");
  };
  REQUIRE(c.apply(text("v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 3; }, seconds(30)));
  bool mixed = false;
  c.driver().setBetweenSteps([&] {
    std::set<std::string> images;
    for (const auto& pod : c.pods("default", "app=web")) images.insert(imageOf(*pod));
    mixed = mixed || images.size() > 1;
  });
  REQUIRE(c.apply(text("v2")).ok());
  CHECK(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(120)));
  c.driver().setBetweenSteps({});
  CHECK_FALSE(mixed);
  CHECK(c.ready("default", "app=web") == 3);
}

TEST_CASE("a bad image stops the rollout at its deadline, and the old template brings the old set back") {
  Simulator c({.seed = seedFor(9), .fleet = {.nodes = 2}});
  const std::string extra = "  progressDeadlineSeconds: 30\n";
  REQUIRE(c.apply(deployment("web", 3, "v1", "maxSurge: 1, maxUnavailable: 0", extra)).ok());
  REQUIRE(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(30)));
  REQUIRE(c.apply(deployment("web", 3, "bad", "maxSurge: 1, maxUnavailable: 0", extra,
                             "simulator.steersman.dev/pull-error: \"yes\""))
              .ok());
  REQUIRE(c.advance(seconds(40)));
  const auto stuck = get(c, "deployments.apps", "web");
  CHECK(conditionReason(*stuck, "Progressing") == "ProgressDeadlineExceeded");
  CHECK(c.ready("default", "app=web") == 3);
  REQUIRE(c.apply(deployment("web", 3, "v1", "maxSurge: 1, maxUnavailable: 0", extra)).ok());
  REQUIRE(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(60)));
  CHECK(c.state().list("replicasets.apps", "default").size() <= 2);
  CHECK(c.state().get("deployments.apps", "default", "web")->annotation("deployment.kubernetes.io/revision") == "3");
}

TEST_CASE("scaling up spreads over the nodes, scaling down to nothing removes all") {
  Simulator c({.seed = seedFor(3), .fleet = {.nodes = 4}});
  REQUIRE(c.apply(deployment("web", 2, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 2; }, seconds(30)));
  REQUIRE(c.apply(deployment("web", 12, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 12; }, seconds(30)));
  for (const auto& node : c.fleet().nodeNames()) CHECK(c.fleet().runningOn(node) == 3);
  REQUIRE(c.apply(deployment("web", 0, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.pods("default", "app=web").empty(); }, seconds(60)));
}

TEST_CASE("minReadySeconds slows a rollout down to its pace") {
  Simulator c({.seed = seedFor(5), .fleet = {.nodes = 2}});
  const std::string extra = "  minReadySeconds: 10\n";
  REQUIRE(c.apply(deployment("web", 2, "v1", "maxSurge: 1, maxUnavailable: 0", extra)).ok());
  REQUIRE(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(60)));
  REQUIRE(c.apply(deployment("web", 2, "v2", "maxSurge: 1, maxUnavailable: 0", extra)).ok());
  REQUIRE(c.advance(seconds(15)));
  CHECK_FALSE(rolledOut(c, "web"));
  CHECK(c.advanceUntil([&] { return rolledOut(c, "web"); }, seconds(60)));
}
