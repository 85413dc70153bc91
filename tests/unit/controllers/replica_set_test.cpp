#include "cluster/controllers/replica_set.h"

#include <set>

#include "cluster/controllers/conditions.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

const char* kSet =
    R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web","namespace":"shop","uid":"rs","generation":2},
  "spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},
          "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})";

json::object pod(const std::string& name, bool owned = true, const std::string& app = "web") {
  json::object metadata{{"name", name}, {"namespace", "shop"}, {"uid", "u-" + name}, {"labels", {{"app", app}}}};
  if (owned)
    metadata["ownerReferences"] = json::array{json::object{
        {"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}, {"name", "web"}, {"uid", "rs"}, {"controller", true}}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", std::move(metadata)},
          {"spec", {{"nodeName", "n1"}}},
          {"status", {{"phase", "Running"}}}};
}

void ready(json::object& pod, const std::string& since) {
  pod["status"].as_object()["conditions"] =
      json::array{json::object{{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", since}}};
}

Decision decide(const World& world, Time now = kNow) {
  return makeReplicaSetController()->decide(world.snapshot, {"shop", "web"}, now);
}

std::set<std::string> removed(const Decision& decision) {
  std::set<std::string> out;
  for (const auto& write : decision.writes)
    if (write.verb == Write::Verb::remove) out.insert(write.target.name);
  return out;
}

}  // namespace

TEST_CASE("a replica set creates what is missing, owned and labelled, and then rests") {
  World world;
  world.put("replicasets.apps", kSet);
  const auto first = decide(world);
  CHECK(count(first, Write::Verb::create, "pods") == 3);
  CHECK(first.events.size() == 3);
  world.apply(first);
  for (const auto& made : world.snapshot.list("pods", "shop")) {
    CHECK(made->label("app") == "web");
    CHECK(made->controllerOwner()->uid == "rs");
  }
  world.apply(decide(world));  // the status
  CHECK(intAt(world.snapshot.get("replicasets.apps", "shop", "web")->status(), {"replicas"}) == 3);
  CHECK(decide(world).writes.empty());
}

TEST_CASE("matching orphans are adopted, relabelled pods released, and a finished pod does not count") {
  World world;
  world.put("replicasets.apps", kSet);
  world.put("pods", pod("orphan", false));
  world.put("pods", pod("stranger", true, "other"));
  auto done = pod("done");
  done["status"].as_object()["phase"] = "Succeeded";
  world.put("pods", done);
  const auto decision = decide(world);
  CHECK(count(decision, Write::Verb::create, "pods") == 2);
  world.apply(decision);
  CHECK(world.snapshot.get("pods", "shop", "orphan")->controllerOwner()->uid == "rs");
  CHECK_FALSE(world.snapshot.get("pods", "shop", "stranger")->controllerOwner());
}

TEST_CASE("scaling down takes the pods that serve least first") {
  World world;
  auto set = object(kSet)->json();
  set["spec"].as_object()["replicas"] = 2;
  world.put("replicasets.apps", set);
  auto unassigned = pod("unassigned");
  unassigned["spec"].as_object().clear();
  auto pending = pod("pending");
  pending["status"].as_object()["phase"] = "Pending";
  auto old = pod("old"), young = pod("young"), cheap = pod("cheap"), precious = pod("precious");
  for (auto* p : {&old, &cheap, &precious}) ready(*p, "2026-01-01T00:00:00Z");
  ready(young, "2026-01-01T00:59:50Z");
  cheap["metadata"].as_object()["annotations"] = {{"controller.kubernetes.io/pod-deletion-cost", "-5"}};
  precious["metadata"].as_object()["annotations"] = {{"controller.kubernetes.io/pod-deletion-cost", "9"}};
  for (const auto& p : {unassigned, pending, pod("unready"), old, young, cheap, precious}) world.put("pods", p);
  CHECK(removed(decide(world)) == std::set<std::string>{"unassigned", "pending", "unready", "cheap", "young"});
}

TEST_CASE("of equal pods the ones with most company on their node go first") {
  World world;
  auto set = object(kSet)->json();
  set["spec"].as_object()["replicas"] = 2;
  world.put("replicasets.apps", set);
  for (const char* name : {"a1", "a2", "b1"}) {
    auto p = pod(name);
    p["spec"].as_object()["nodeName"] = name[0] == 'a' ? "na" : "nb";
    ready(p, "2026-01-01T00:00:00Z");
    world.put("pods", p);
  }
  const auto gone = removed(decide(world));
  REQUIRE(gone.size() == 1);
  CHECK(gone.begin()->front() == 'a');
}

TEST_CASE("a ready pod is available after minReadySeconds, and the set looks again just then") {
  World world;
  auto set = object(kSet)->json();
  set["spec"].as_object()["minReadySeconds"] = 10;
  set["spec"].as_object()["replicas"] = 1;
  world.put("replicasets.apps", set);
  auto p = pod("p");
  ready(p, formatTime(kNow));
  world.put("pods", p);
  const auto early = decide(world, kNow + seconds(4));
  CHECK(early.recheck == kNow + seconds(10));
  world.apply(early);
  auto status = [&] { return world.snapshot.get("replicasets.apps", "shop", "web")->status(); };
  CHECK(intAt(status(), {"readyReplicas"}) == 1);
  CHECK(intAt(status(), {"availableReplicas"}) == 0);
  world.apply(decide(world, kNow + seconds(10)));
  CHECK(intAt(status(), {"availableReplicas"}) == 1);
}

TEST_CASE("a refused creation becomes condition ReplicaFailure, and a success clears it") {
  World world;
  world.put("replicasets.apps", kSet);
  const auto controller = makeReplicaSetController();
  const auto wish = decide(world);
  const auto said = controller->refused(world.snapshot, {"shop", "web"}, wish.writes.front(),
                                        makeError(Errc::forbidden, "exceeded quota"), kNow);
  REQUIRE(said.events.size() == 1);
  CHECK(said.events.front().reason == "FailedCreate");
  world.apply(said);
  const auto failed = world.snapshot.get("replicasets.apps", "shop", "web");
  REQUIRE(findCondition(failed->status(), "ReplicaFailure") != nullptr);
  CHECK(stringAt(*findCondition(failed->status(), "ReplicaFailure"), {"message"}) == "exceeded quota");
  const auto again = controller->refused(world.snapshot, {"shop", "web"}, wish.writes.front(),
                                         makeError(Errc::forbidden, "exceeded quota by pod x7"), kNow);
  CHECK(again.writes.empty());  // else each attempt's text would cause the next attempt
  CHECK(again.events.size() == 1);
  world.apply(decide(world));
  CHECK(findCondition(world.snapshot.get("replicasets.apps", "shop", "web")->status(), "ReplicaFailure") == nullptr);
}

TEST_CASE("a template that its own selector does not select makes no pods: they would be made without end") {
  World world;
  auto set = object(kSet)->json();
  set["spec"].at("template").at("metadata").as_object()["labels"] = {{"app", "other"}};
  world.put("replicasets.apps", std::move(set));
  const auto decision = decide(world);
  CHECK(decision.writes.empty());
  REQUIRE(decision.events.size() == 1);
  CHECK(decision.events[0].reason == "SelectorMismatch");
}
