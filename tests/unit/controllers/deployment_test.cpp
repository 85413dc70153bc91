#include "cluster/controllers/deployment.h"

#include <random>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/replica_set.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

json::object deployment(std::int64_t replicas, json::value surge, json::value unavailable) {
  auto out =
      object(
          R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop","uid":"d","generation":1},
    "spec":{"selector":{"matchLabels":{"app":"web"}},"revisionHistoryLimit":2,"progressDeadlineSeconds":60,
            "strategy":{"type":"RollingUpdate"},
            "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"v1"}]}}}})")
          ->json();
  auto& spec = out["spec"].as_object();
  spec["replicas"] = replicas;
  spec["strategy"].as_object()["rollingUpdate"] = {{"maxSurge", surge}, {"maxUnavailable", unavailable}};
  return out;
}

/// A deployment, its sets, and pods whose readiness the test decides.
struct Cluster {
  World world;
  Time now = kNow;

  ObjectPtr live() const { return world.snapshot.get("deployments.apps", "shop", "web"); }
  void edit(const std::function<void(json::object&)>& change) {
    auto body = live()->json();
    change(body["spec"].as_object());
    auto& metadata = body["metadata"].as_object();
    metadata["generation"] = live()->generation() + 1;
    world.put("deployments.apps", std::move(body));
  }
  void image(const std::string& name) {
    edit([&](json::object& spec) { spec["template"].at("spec").at("containers").at(0).as_object()["image"] = name; });
  }
  Decision stepDeployment() {
    auto decision = makeDeploymentController()->decide(world.snapshot, {"shop", "web"}, now);
    world.apply(decision);
    return decision;
  }
  void stepSets() {
    for (const auto& set : world.snapshot.list("replicasets.apps", "shop"))
      world.apply(makeReplicaSetController()->decide(world.snapshot, {"shop", set->name()}, now));
  }
  void becomeReady(std::size_t most = 1000) {
    for (const auto& pod : world.snapshot.list("pods", "shop")) {
      if (findCondition(pod->status(), "Ready") != nullptr || most == 0) continue;
      --most;
      auto body = pod->json();
      body["status"] = {
          {"phase", "Running"},
          {"conditions",
           json::array{json::object{{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", formatTime(now)}}}}};
      world.put("pods", std::move(body));
    }
  }
  void settle() {
    for (int i = 0; i < 60; ++i) {
      stepDeployment();
      stepSets();
      becomeReady();
      stepSets();
    }
  }
  std::size_t availablePods() const {
    std::size_t n = 0;
    for (const auto& pod : world.snapshot.list("pods", "shop"))
      if (conditionIs(pod->status(), "Ready", "True")) ++n;
    return n;
  }
  std::vector<ObjectPtr> sets() const { return world.snapshot.list("replicasets.apps", "shop"); }
  ObjectPtr setOf(const std::string& image) const {
    for (const auto& set : sets())
      if (stringAt(arrayAt(set->spec(), {"template", "spec", "containers"})[0], {"image"}) == image) return set;
    return nullptr;
  }
  std::string progress() const {
    const auto* condition = findCondition(live()->status(), "Progressing");
    return condition == nullptr ? "" : std::string(stringAt(*condition, {"reason"}));
  }
};

}  // namespace

TEST_CASE("a deployment makes one hashed set, becomes complete and then rests") {
  Cluster c;
  c.world.put("deployments.apps", deployment(3, "25%", "25%"));
  const auto first = c.stepDeployment();
  REQUIRE(c.sets().size() == 1);
  const auto set = c.sets().front();
  const auto hash = std::string(set->label("pod-template-hash"));
  CHECK(set->name() == "web-" + hash);
  CHECK(stringAt(set->spec(), {"selector", "matchLabels", "pod-template-hash"}) == hash);
  CHECK(set->annotation("deployment.kubernetes.io/revision") == "1");
  CHECK(set->annotation("deployment.kubernetes.io/max-replicas") == "4");
  CHECK(first.events.front().message == "Scaled up replica set " + set->name() + " from 0 to 3");
  CHECK(c.progress() == "NewReplicaSetCreated");
  c.settle();
  CHECK(c.live()->annotation("deployment.kubernetes.io/revision") == "1");
  CHECK(intAt(c.live()->status(), {"availableReplicas"}) == 3);
  CHECK(intAt(c.live()->status(), {"observedGeneration"}) == 1);
  CHECK(conditionIs(c.live()->status(), "Available", "True"));
  CHECK(c.progress() == "NewReplicaSetAvailable");
  CHECK(c.stepDeployment().writes.empty());
}

TEST_CASE("a rolling update stays inside maxSurge and maxUnavailable at every step, in any order of events") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 chance(seed);
    const std::int64_t replicas = 1 + chance() % 9;
    const std::int64_t surge = chance() % 4, unavailable = chance() % 4;
    const std::int64_t floor = replicas - std::min(replicas, surge + unavailable == 0 ? 1 : unavailable);
    Cluster c;
    c.world.put("deployments.apps", deployment(replicas, surge, unavailable));
    c.settle();
    c.image("v2");
    bool done = false;
    for (int step = 0; step < 3000 && !done; ++step) {
      switch (chance() % 3) {
        case 0:
          c.stepDeployment();
          break;
        case 1:
          c.stepSets();
          break;
        default:
          c.becomeReady(1);
      }
      INFO("seed " << seed << " step " << step);
      REQUIRE(static_cast<std::int64_t>(c.availablePods()) >= floor);
      REQUIRE(static_cast<std::int64_t>(c.world.snapshot.count("pods")) <= replicas + surge);
      const auto fresh = c.setOf("v2");
      done = fresh && intAt(fresh->status(), {"availableReplicas"}) == replicas &&
             c.world.snapshot.count("pods") == static_cast<std::size_t>(replicas);
    }
    INFO("seed " << seed);
    CHECK(done);
  }
}

TEST_CASE("percentages round maxSurge up and maxUnavailable down") {
  Cluster c;
  c.world.put("deployments.apps", deployment(10, "25%", "25%"));
  c.settle();
  c.image("v2");
  c.stepDeployment();
  CHECK(intAt(c.setOf("v2")->spec(), {"replicas"}) == 3);  // 2.5 up
  c.stepDeployment();
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 8);  // 2.5 down
}

TEST_CASE("going back to an old template takes its set again, under a new revision") {
  Cluster c;
  c.world.put("deployments.apps", deployment(2, 1, 0));
  c.settle();
  c.image("v2");
  c.settle();
  const auto first = c.setOf("v1")->name();
  c.image("v1");
  c.settle();
  CHECK(c.sets().size() == 2);
  CHECK(c.setOf("v1")->name() == first);
  CHECK(c.setOf("v1")->annotation("deployment.kubernetes.io/revision") == "3");
  CHECK(c.setOf("v1")->annotation("deployment.kubernetes.io/revision-history") == "1");
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 2);
  CHECK(intAt(c.setOf("v2")->spec(), {"replicas"}) == 0);
}

TEST_CASE("only as many old sets as revisionHistoryLimit remain, the newest") {
  Cluster c;
  c.world.put("deployments.apps", deployment(1, 1, 0));
  for (const char* image : {"v1", "v2", "v3", "v4", "v5"}) {
    c.image(image);
    c.settle();
  }
  CHECK(c.sets().size() == 3);
  CHECK(c.setOf("v3") != nullptr);
  CHECK(c.setOf("v2") == nullptr);
}

TEST_CASE("a name that is taken by another template makes another hash") {
  Cluster c;
  c.world.put("deployments.apps", deployment(1, 1, 0));
  const auto hash = podTemplateHash(objectAt(c.live()->spec(), {"template"}), 0);
  c.world.put("replicasets.apps",
              R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"namespace":"shop","name":"web-)" + hash +
                  R"("},"spec":{"replicas":0}})");
  c.settle();
  CHECK(intAt(c.live()->status(), {"collisionCount"}) == 1);
  CHECK(c.sets().size() == 2);
  CHECK(intAt(c.live()->status(), {"availableReplicas"}) == 1);
}

TEST_CASE("a paused deployment scales but does not roll out") {
  Cluster c;
  c.world.put("deployments.apps", deployment(2, 1, 0));
  c.settle();
  c.edit([](json::object& spec) { spec["paused"] = true; });
  c.image("v2");
  c.edit([](json::object& spec) { spec["replicas"] = 4; });
  c.settle();
  CHECK(c.setOf("v2") == nullptr);
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 4);
  CHECK(c.progress() == "DeploymentPaused");
  c.edit([](json::object& spec) { spec.erase("paused"); });
  c.settle();
  CHECK(intAt(c.setOf("v2")->spec(), {"replicas"}) == 4);
}

TEST_CASE("recreate waits until every old pod is gone") {
  Cluster c;
  auto body = deployment(2, 0, 0);
  body["spec"].as_object()["strategy"] = {{"type", "Recreate"}};
  c.world.put("deployments.apps", body);
  c.settle();
  c.image("v2");
  c.stepDeployment();
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 0);
  c.stepDeployment();
  CHECK(c.setOf("v2") == nullptr);  // the pods are still there
  c.stepSets();
  c.stepDeployment();
  REQUIRE(c.setOf("v2") != nullptr);
  CHECK(intAt(c.setOf("v2")->spec(), {"replicas"}) == 2);
}

TEST_CASE("scaling in the middle of a rollout is shared out in proportion") {
  Cluster c;
  c.world.put("deployments.apps", deployment(10, 3, 2));
  c.settle();
  c.image("v2");
  c.stepDeployment();
  c.stepDeployment();
  REQUIRE(intAt(c.setOf("v1")->spec(), {"replicas"}) == 8);
  REQUIRE(intAt(c.setOf("v2")->spec(), {"replicas"}) == 3);
  c.stepDeployment();
  const auto newSize = intAt(c.setOf("v2")->spec(), {"replicas"});
  CHECK(newSize == 5);
  c.edit([](json::object& spec) { spec["replicas"] = 15; });
  c.stepDeployment();  // the example of Kubernetes' documentation: 8 + 5 becomes 11 + 7
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 11);
  CHECK(intAt(c.setOf("v2")->spec(), {"replicas"}) == 7);
}

TEST_CASE("a rollout that does not move is called so after the deadline, and looks again just then") {
  Cluster c;
  c.world.put("deployments.apps", deployment(1, 1, 0));
  c.stepDeployment();
  c.stepSets();
  c.stepDeployment();
  const auto waiting = c.stepDeployment();
  REQUIRE(waiting.recheck);
  CHECK(*waiting.recheck == kNow + seconds(61));
  c.now = *waiting.recheck;
  c.stepDeployment();
  CHECK(c.progress() == "ProgressDeadlineExceeded");
  CHECK(conditionIs(c.live()->status(), "Progressing", "False"));
  c.settle();
  CHECK(c.progress() == "NewReplicaSetAvailable");
}

TEST_CASE("old pods that serve nobody go first") {
  Cluster c;
  c.world.put("deployments.apps", deployment(4, 0, 1));
  c.stepDeployment();
  c.stepSets();
  c.becomeReady(3);  // one of v1 never becomes ready
  c.stepSets();
  c.image("v2");
  c.stepDeployment();
  c.stepDeployment();
  CHECK(intAt(c.setOf("v1")->spec(), {"replicas"}) == 3);
  c.stepSets();
  CHECK(c.availablePods() == 3);
}

TEST_CASE("a template that its own selector does not select makes no sets: they would be made without end") {
  Cluster c;
  auto body = deployment(2, 1, 0);
  body["spec"].at("template").at("metadata").as_object()["labels"] = {{"app", "other"}};
  c.world.put("deployments.apps", std::move(body));
  const auto decision = c.stepDeployment();
  CHECK(decision.writes.empty());
  REQUIRE(decision.events.size() == 1);
  CHECK(decision.events[0].reason == "SelectorMismatch");
}

TEST_CASE("a template stored before a default existed makes one set, although the server adds the default to it") {
  Cluster c;
  c.world.put("deployments.apps", deployment(2, 1, 0));
  c.stepDeployment();
  auto sets = c.world.snapshot.list("replicasets.apps", "shop");
  REQUIRE(sets.size() == 1);
  auto defaulted = sets[0]->json();
  defaulted["spec"].at("template").at("spec").as_object()["newDefault"] = "yes";
  c.world.put("replicasets.apps", std::move(defaulted));
  for (int i = 0; i < 5; ++i) c.stepDeployment();
  CHECK(c.world.snapshot.list("replicasets.apps", "shop").size() == 1);
  c.image("v2");
  for (int i = 0; i < 5; ++i) c.stepDeployment();
  CHECK(c.world.snapshot.list("replicasets.apps", "shop").size() == 2);
}

TEST_CASE("a template stored with what a server no longer keeps is still the one that its set has") {
  Cluster c;
  auto body = deployment(2, 1, 0);
  auto& spec = body["spec"].at("template").at("spec").as_object();
  spec["hostNetwork"] = false;
  spec["nodeSelector"] = json::object{};
  c.world.put("deployments.apps", std::move(body));
  c.stepDeployment();
  auto set = c.world.snapshot.list("replicasets.apps", "shop").front()->json();
  auto& kept = set["spec"].at("template").at("spec").as_object();
  kept.erase("hostNetwork");
  kept.erase("nodeSelector");
  c.world.put("replicasets.apps", std::move(set));
  for (int i = 0; i < 5; ++i) c.stepDeployment();
  CHECK(c.world.snapshot.list("replicasets.apps", "shop").size() == 1);
}
