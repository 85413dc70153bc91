#include "cluster/controllers/conditions.h"
#include "cluster/controllers/namespaces.h"
#include "cluster/controllers/node_lifecycle.h"
#include "cluster/controllers/pod_garbage.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

json::object node(const std::string& name, const std::string& ready = "True") {
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata", {{"name", name}, {"uid", "u-" + name}, {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
          {"spec", json::object{}},
          {"status", {{"conditions", json::array{json::object{{"type", "Ready"}, {"status", ready}}}}}}};
}

void lease(World& world, const std::string& name, Time renewed) {
  world.put("leases.coordination.k8s.io", json::object{{"apiVersion", "coordination.k8s.io/v1"},
                                                       {"kind", "Lease"},
                                                       {"metadata", {{"name", name}, {"namespace", "kube-node-lease"}}},
                                                       {"spec", {{"renewTime", formatMicroTime(renewed)}}}});
}

json::object pod(const std::string& name, const std::string& nodeName, json::array tolerations = {}) {
  return {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata",
       {{"name", name}, {"namespace", "shop"}, {"uid", "u-" + name}, {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
      {"spec", {{"nodeName", nodeName}, {"tolerations", std::move(tolerations)}}},
      {"status",
       {{"phase", "Running"}, {"conditions", json::array{json::object{{"type", "Ready"}, {"status", "True"}}}}}}};
}

Decision decide(const World& world, const std::string& name, Time now) {
  return makeNodeLifecycleController({})->decide(world.snapshot, {"", name}, now);
}

std::vector<std::string> taints(const World& world, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& taint : arrayAt(world.snapshot.get("nodes", "", name)->spec(), {"taints"}))
    out.push_back(std::string(stringAt(taint, {"key"})) + ":" + std::string(stringAt(taint, {"effect"})));
  return out;
}

}  // namespace

TEST_CASE("a node is left alone for 40 s after its last lease, then Unknown, tainted, its pods not ready") {
  World world;
  for (const char* n : {"n1", "n2"}) {
    world.put("nodes", node(n));
    lease(world, n, kNow);
  }
  world.put("pods", pod("p", "n1"));
  const auto calm = decide(world, "n1", kNow + seconds(40));
  CHECK(calm.writes.empty());
  CHECK(calm.recheck == kNow + seconds(40) + milliseconds(1));
  lease(world, "n2", kNow + seconds(40));
  world.apply(decide(world, "n1", kNow + seconds(41)));
  CHECK(conditionIs(world.snapshot.get("nodes", "", "n1")->status(), "Ready", "Unknown"));
  CHECK(taints(world, "n1") == std::vector<std::string>{"node.kubernetes.io/unreachable:NoSchedule",
                                                        "node.kubernetes.io/unreachable:NoExecute"});
  CHECK(conditionIs(world.snapshot.get("pods", "shop", "p")->status(), "Ready", "False"));
  CHECK(decide(world, "n1", kNow + seconds(42)).writes.empty());
}

TEST_CASE("a node that is back loses the taints, people's own taints stay") {
  World world;
  auto back = node("n1");
  back["spec"].as_object()["taints"] =
      json::array{json::object{{"key", "mine"}, {"effect", "NoSchedule"}},
                  json::object{{"key", "node.kubernetes.io/unreachable"}, {"effect", "NoExecute"}}};
  world.put("nodes", back);
  lease(world, "n1", kNow);
  world.apply(decide(world, "n1", kNow));
  CHECK(taints(world, "n1") == std::vector<std::string>{"mine:NoSchedule"});
}

TEST_CASE("a cordoned node carries the unschedulable taint until it is uncordoned") {
  World world;
  auto n = node("n1");
  n["spec"].as_object()["unschedulable"] = true;
  world.put("nodes", n);
  lease(world, "n1", kNow);
  world.apply(decide(world, "n1", kNow));
  CHECK(taints(world, "n1") == std::vector<std::string>{"node.kubernetes.io/unschedulable:NoSchedule"});
  auto open = world.snapshot.get("nodes", "", "n1")->json();
  open["spec"].as_object().erase("unschedulable");
  world.put("nodes", open);
  world.apply(decide(world, "n1", kNow));
  CHECK(taints(world, "n1").empty());
}

TEST_CASE("a control plane that was away does not blame the nodes for it") {
  World world;
  world.put("nodes", node("n1"));
  lease(world, "n1", kNow - minutes(30));
  const auto controller = makeNodeLifecycleController({seconds(40), kNow});
  CHECK(controller->decide(world.snapshot, {"", "n1"}, kNow + seconds(39)).writes.empty());
  CHECK_FALSE(controller->decide(world.snapshot, {"", "n1"}, kNow + seconds(41)).writes.empty());
}

TEST_CASE("when all nodes fall silent at once none is emptied") {
  World world;
  for (const char* n : {"n1", "n2", "n3"}) world.put("nodes", node(n, "Unknown"));
  for (const char* n : {"n1", "n2", "n3"}) world.apply(decide(world, n, kNow + minutes(5)));
  for (const char* n : {"n1", "n2", "n3"})
    CHECK(taints(world, n) == std::vector<std::string>{"node.kubernetes.io/unreachable:NoSchedule"});
}

TEST_CASE("nodes are emptied one every ten seconds") {
  World world;
  for (const char* n : {"n1", "n2"}) world.put("nodes", node(n, "Unknown"));
  for (const char* n : {"n3", "n4", "n5"}) world.put("nodes", node(n));
  const Time now = kNow + minutes(5);
  world.apply(decide(world, "n1", now));
  CHECK(taints(world, "n1").size() == 2);
  const auto second = decide(world, "n2", now);
  CHECK(second.recheck == now + seconds(10));
  world.apply(second);
  CHECK(taints(world, "n2").size() == 1);
  world.apply(decide(world, "n2", now + seconds(10)));
  CHECK(taints(world, "n2").size() == 2);
}

namespace {

/// `lost` of `nodes` in a zone do not answer.
void zone(World& world, const std::string& name, int nodes, int lost) {
  for (int i = 0; i < nodes; ++i) {
    auto body = node(name + std::to_string(i), i < lost ? "Unknown" : "True");
    body["metadata"].as_object()["labels"] = json::object{{"topology.kubernetes.io/zone", name}};
    world.put("nodes", body);
  }
}

}  // namespace

TEST_CASE("a zone that is lost altogether is emptied, one node every ten seconds, and others at their own pace") {
  World world;
  zone(world, "a", 3, 3);
  zone(world, "b", 3, 1);
  const Time now = kNow + minutes(5);
  world.apply(decide(world, "a0", now));
  world.apply(decide(world, "b0", now));
  CHECK(taints(world, "a0").size() == 2);
  CHECK(taints(world, "b0").size() == 2);
  CHECK(decide(world, "a1", now).recheck == now + seconds(10));
}

TEST_CASE("a small zone that has lost most of its nodes keeps its pods, a large one is emptied slowly") {
  World world;
  zone(world, "small", 5, 3);
  zone(world, "large", 60, 40);
  const Time now = kNow + minutes(5);
  world.apply(decide(world, "small0", now));
  CHECK(taints(world, "small0").size() == 1);
  world.apply(decide(world, "large0", now));
  CHECK(taints(world, "large0").size() == 2);
  CHECK(decide(world, "large1", now).recheck == now + seconds(100));
}

TEST_CASE("a pod is evicted when its toleration of the taint runs out, and not before") {
  World world;
  auto n = node("n1", "Unknown");
  n["spec"].as_object()["taints"] = json::array{json::object{
      {"key", "node.kubernetes.io/unreachable"}, {"effect", "NoExecute"}, {"timeAdded", formatTime(kNow)}}};
  world.put("nodes", n);
  auto toleration = [](std::int64_t s) {
    return json::array{json::object{{"key", "node.kubernetes.io/unreachable"},
                                    {"operator", "Exists"},
                                    {"effect", "NoExecute"},
                                    {"tolerationSeconds", s}}};
  };
  world.put("pods", pod("patient", "n1", toleration(300)));
  world.put("pods", pod("none", "n1"));
  world.put("pods", pod("always", "n1", json::array{json::object{{"operator", "Exists"}}}));
  const auto controller = makeTaintEvictionController();
  auto at = [&](const std::string& name, Time now) { return controller->decide(world.snapshot, {"shop", name}, now); };
  CHECK(count(at("none", kNow), Write::Verb::remove, "pods") == 1);
  CHECK(at("always", kNow + minutes(60)).writes.empty());
  const auto early = at("patient", kNow + seconds(299));
  CHECK(early.writes.empty());
  CHECK(early.recheck == kNow + seconds(300));
  const auto late = at("patient", kNow + seconds(300));
  CHECK(count(late, Write::Verb::remove, "pods") == 1);
  world.apply({late.writes.front()});
  CHECK(conditionIs(world.snapshot.get("pods", "shop", "patient")->status(), "DisruptionTarget", "True"));
}

TEST_CASE("nodes get the free parts of the cluster's range, and one too many is told so") {
  World world;
  auto first = node("n1");
  first["spec"].as_object()["podCIDR"] = "10.244.1.0/24";
  world.put("nodes", first);
  for (const char* n : {"n2", "n3", "n4"}) world.put("nodes", node(n));
  const auto decision = makeNodeIpamController("10.244.0.0/22", 24)->decide(world.snapshot, {"", "all"}, kNow);
  world.apply(decision);
  auto range = [&](const char* n) {
    return std::string(stringAt(world.snapshot.get("nodes", "", n)->spec(), {"podCIDR"}));
  };
  CHECK(range("n2") == "10.244.0.0/24");
  CHECK(range("n3") == "10.244.2.0/24");
  CHECK(range("n4") == "10.244.3.0/24");
  world.put("nodes", node("n5"));
  const auto full = makeNodeIpamController("10.244.0.0/22", 24)->decide(world.snapshot, {"", "all"}, kNow);
  CHECK(full.writes.empty());
  CHECK(full.events.front().reason == "CIDRNotAvailable");
}

TEST_CASE("pods of a deleted node are removed at once") {
  World world;
  world.put("pods", pod("p", "lost"));
  const auto decision = makePodGarbageController(100)->decide(world.snapshot, {"node", "lost"}, kNow);
  REQUIRE(decision.provided.size() == 1);
  REQUIRE(count(decision, Write::Verb::remove, "pods") == 1);
  CHECK(decision.writes.back().deleteOptions.gracePeriodSeconds == 0);
}

TEST_CASE("finished pods above the threshold go, the oldest first") {
  World world;
  for (int i = 0; i < 5; ++i) {
    auto p = pod("p" + std::to_string(i), "n1");
    p["status"].as_object()["phase"] = "Succeeded";
    p["metadata"].as_object()["creationTimestamp"] = formatTime(kNow + seconds(i));
    world.put("pods", p);
  }
  const auto decision = makePodGarbageController(3)->decide(world.snapshot, {"", "terminated"}, kNow);
  REQUIRE(decision.writes.size() == 2);
  CHECK(decision.writes[0].target.name == "p0");
  CHECK(decision.writes[1].target.name == "p1");
}

TEST_CASE("a namespace ends pods first, then the rest, and is finalized when the server says it is empty") {
  World world;
  world.put(
      "namespaces",
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","deletionTimestamp":"2026-01-01T00:59:00Z"},
    "spec":{"finalizers":["kubernetes"]},"status":{"phase":"Terminating"}})");
  world.put("pods", pod("p", "n1"));
  world.put("configmaps", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"shop"}})");
  const auto controller = makeNamespaceController({"pods", "configmaps"});
  auto decide = [&] { return controller->decide(world.snapshot, {"", "shop"}, kNow); };
  const auto first = decide();
  CHECK(count(first, Write::Verb::remove, "pods") == 1);
  CHECK(count(first, Write::Verb::remove, "configmaps") == 0);
  world.apply(first);
  CHECK(conditionIs(world.snapshot.get("namespaces", "", "shop")->status(), "NamespaceContentRemaining", "True"));
  world.apply(decide());
  const auto last = decide();
  REQUIRE(last.writes.size() == 1);
  CHECK(last.writes.front().subresource == "finalize");
  CHECK(last.provided.size() == 2);
  CHECK(arrayAt(last.writes.front().body, {"spec", "finalizers"}).empty());
}

TEST_CASE("every namespace has the cluster's root certificate, also after somebody edited it") {
  World world;
  world.put("namespaces", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  const auto controller = makeNamespaceGiftsController({"PEM", false});
  world.apply(controller->decide(world.snapshot, {"", "shop"}, kNow));
  auto map = world.snapshot.get("configmaps", "shop", "kube-root-ca.crt");
  REQUIRE(map);
  auto edited = map->json();
  edited["data"] = {{"ca.crt", "other"}};
  world.put("configmaps", edited);
  world.apply(controller->decide(world.snapshot, {"", "shop"}, kNow));
  CHECK(stringAt(world.snapshot.get("configmaps", "shop", "kube-root-ca.crt")->json(), {"data", "ca.crt"}) == "PEM");
  CHECK(controller->decide(world.snapshot, {"", "shop"}, kNow).writes.empty());
}

TEST_CASE("events are bounded in number: those that nobody saw again for longest go first, a tenth at a time") {
  World world;
  for (int i = 0; i < 25; ++i)
    world.put("events", R"({"metadata":{"namespace":"a","creationTimestamp":"2025-12-31T00:00:00Z","name":"e)" +
                            std::to_string(i) + R"("},"lastTimestamp":"2026-01-01T00:)" + std::to_string(59 - i) +
                            R"(:00Z"})");
  const auto controller = makeEventExpiryController(std::chrono::hours(1), 20);
  const auto newest = world.snapshot.get("events", "a", "e0");
  const auto keys = controller->keysFor(world.snapshot, "events", nullptr, newest);
  REQUIRE(keys.size() == 2);
  world.apply(controller->decide(world.snapshot, keys[1], kNow));
  CHECK(world.snapshot.count("events") == 18);
  CHECK(world.snapshot.get("events", "a", "e17"));
  CHECK_FALSE(world.snapshot.get("events", "a", "e18"));
  CHECK(controller->keysFor(world.snapshot, "events", nullptr, newest).size() == 1);
}
