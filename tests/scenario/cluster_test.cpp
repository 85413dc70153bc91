// Nodes that fail, namespaces that end, services that follow their pods, garbage that goes.
#include <catch2/catch.hpp>

#include "tests/scenario/scenario.h"

using namespace steer;
using namespace steer::scenario;

namespace {

std::set<std::string> nodesOf(const Simulator& c, const std::string& selector) {
  std::set<std::string> out;
  for (const auto& pod : c.pods("default", selector))
    if (!pod->deleting()) out.insert(std::string(stringAt(pod->spec(), {"nodeName"})));
  return out;
}

std::string readyOfNode(const Simulator& c, const std::string& name) {
  for (const auto& condition : arrayAt(c.state().get("nodes", "", name)->status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return std::string(stringAt(condition, {"status"}));
  return "";
}

void cordon(Simulator& c, const std::string& node, bool on) {
  const auto done = c.client().write(
      Write::patch({"nodes", "", node}, PatchType::merge, json::object{{"spec", {{"unschedulable", on}}}}));
  REQUIRE(done.ok());
}

std::size_t readyEndpoints(const Simulator& c, const std::string& service) {
  std::size_t n = 0;
  for (const auto& slice : c.state().labelled("endpointslices.discovery.k8s.io", "kubernetes.io/service-name", service))
    for (const auto& endpoint : arrayAt(slice->json(), {"endpoints"}))
      if (boolAt(endpoint, {"conditions", "ready"})) ++n;
  return n;
}

Result<ObjectPtr> removeDeployment(Simulator& c, Propagation propagation) {
  DeleteOptions options;
  options.propagation = propagation;
  return c.client().write(Write::remove({"deployments.apps", "default", "web"}, options));
}

}  // namespace

TEST_CASE("pods of a lost node run elsewhere once their toleration is over, and not before") {
  Simulator c({.seed = seedFor(11), .fleet = {.nodes = 3}});
  REQUIRE(c.apply(deployment("web", 3, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 3; }, seconds(30)));
  const auto lost = *nodesOf(c, "app=web").begin();
  c.fleet().crashNode(lost);
  REQUIRE(c.advance(seconds(60)));
  CHECK(readyOfNode(c, lost) == "Unknown");
  CHECK(nodesOf(c, "app=web").contains(lost));
  CHECK(c.ready("default", "app=web") == 2);
  REQUIRE(c.advance(seconds(310)));
  CHECK(c.ready("default", "app=web") == 3);
  CHECK_FALSE(nodesOf(c, "app=web").contains(lost));
  c.fleet().reviveNode(lost);
  REQUIRE(c.advance(seconds(60)));
  CHECK(readyOfNode(c, lost) == "True");
  CHECK(arrayAt(c.state().get("nodes", "", lost)->spec(), {"taints"}).empty());
  CHECK(c.pods("default", "app=web").size() == 3);
}

TEST_CASE("a short partition moves nothing") {
  Simulator c({.seed = seedFor(12), .fleet = {.nodes = 3}});
  REQUIRE(c.apply(deployment("web", 3, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 3; }, seconds(30)));
  std::set<std::string> before;
  for (const auto& pod : c.pods("default", "app=web")) before.insert(pod->uid());
  c.fleet().partitionNode("node-1");
  REQUIRE(c.advance(seconds(100)));
  c.fleet().healNode("node-1");
  REQUIRE(c.advance(seconds(60)));
  std::set<std::string> after;
  for (const auto& pod : c.pods("default", "app=web")) after.insert(pod->uid());
  CHECK(before == after);
  CHECK(c.ready("default", "app=web") == 3);
}

TEST_CASE("pods of a deleted node are removed and replaced") {
  Simulator c({.seed = seedFor(13), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(deployment("web", 4, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 4; }, seconds(30)));
  REQUIRE(c.advance(seconds(60)));
  c.fleet().crashNode("node-1");
  REQUIRE(c.client().write(Write::remove({"nodes", "", "node-1"})).ok());
  CHECK(c.advanceUntil([&] { return c.ready("default", "app=web") == 4; }, seconds(60)));
  CHECK(nodesOf(c, "app=web") == std::set<std::string>{"node-2"});
}

TEST_CASE("a cordoned node gets no new pods; draining it moves what it has") {
  Simulator c({.seed = seedFor(14), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(deployment("web", 4, "v1")).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 4; }, seconds(30)));
  cordon(c, "node-1", true);
  for (const auto& pod : c.pods("default", "app=web"))
    if (stringAt(pod->spec(), {"nodeName"}) == "node-1")
      REQUIRE(c.client().write(Write::remove({"pods", "default", pod->name()})).ok());
  CHECK(c.advanceUntil([&] { return c.ready("default", "app=web") == 4; }, seconds(60)));
  CHECK(nodesOf(c, "app=web") == std::set<std::string>{"node-2"});
}

TEST_CASE("a pod that fits nowhere says why, and runs as soon as there is room") {
  Simulator c(
      {.seed = seedFor(15), .fleet = {.nodes = 3, .capacity = {{"cpu", "4"}, {"memory", "1Gi"}, {"pods", "110"}}}});
  REQUIRE(c.advance(seconds(2)));
  cordon(c, "node-3", true);
  REQUIRE(c.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: big}\nspec:\n  containers: [{name: c, image: i, "
                  "resources: {requests: {memory: 2Gi}}}]\n")
              .ok());
  REQUIRE(c.advance(seconds(5)));
  const auto big = get(c, "pods", "big");
  CHECK(conditionReason(*big, "PodScheduled") == "Unschedulable");
  bool said = false;
  for (const auto& condition : arrayAt(big->status(), {"conditions"}))
    said = said ||
           stringAt(condition, {"message"}) == "0/3 nodes are available: 2 Insufficient memory, 1 node is cordoned.";
  CHECK(said);
  CHECK(hasEvent(c, "FailedScheduling"));
  REQUIRE(c.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: held, labels: {app: held}}\nspec:\n  nodeSelector: "
                  "{kubernetes.io/hostname: node-3}\n"
                  "  containers: [{name: c, image: i}]\n")
              .ok());
  REQUIRE(c.advance(seconds(5)));
  CHECK(c.running("default", "app=held") == 0);
  cordon(c, "node-3", false);
  CHECK(c.advanceUntil([&] { return c.running("default", "app=held") == 1; }, seconds(10)));
}

TEST_CASE("deleting a namespace removes everything in it and nothing else") {
  Simulator c({.seed = seedFor(16), .fleet = {.nodes = 2}});
  REQUIRE(c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n").ok());
  REQUIRE(c.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\ndata: {a: b}\n---\n"
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n---\n"
                  "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, "
                  "ports: [{port: 80}]}\n")
              .ok());
  auto text = deployment("web", 3, "v1");
  text.replace(text.find("{name: web}"), 11, "{name: web, namespace: shop}");
  REQUIRE(c.apply(text).ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("shop", "app=web") == 3; }, seconds(30)));
  REQUIRE(c.client().write(Write::remove({"namespaces", "", "shop"})).ok());
  REQUIRE(c.advanceUntil([&] { return c.state().get("namespaces", "", "shop") == nullptr; }, seconds(120)));
  for (const auto& resource : c.state().resources()) {
    INFO(resource);
    CHECK(c.state().list(resource, "shop").empty());
  }
  CHECK(get(c, "configmaps", "c") != nullptr);
}

TEST_CASE("a service's endpoints follow readiness") {
  Simulator c({.seed = seedFor(17), .fleet = {.nodes = 2}});
  REQUIRE(c.apply("apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: "
                  "80, targetPort: http}]}\n")
              .ok());
  REQUIRE(c.apply(deployment("web", 3, "v1", "", "", "simulator.steersman.dev/ready-delay: 5s")).ok());
  REQUIRE(c.advance(seconds(3)));
  CHECK(c.running("default", "app=web") == 3);
  CHECK(readyEndpoints(c, "web") == 0);
  REQUIRE(c.advance(seconds(5)));
  CHECK(readyEndpoints(c, "web") == 3);
  const auto legacy = get(c, "endpoints", "web");
  REQUIRE(legacy);
  CHECK(arrayAt(arrayAt(legacy->json(), {"subsets"}).at(0), {"addresses"}).size() == 3);
  CHECK(intAt(arrayAt(arrayAt(legacy->json(), {"subsets"}).at(0), {"ports"}).at(0), {"port"}) == 8080);
  REQUIRE(c.apply(deployment("web", 1, "v1", "", "", "simulator.steersman.dev/ready-delay: 5s")).ok());
  CHECK(c.advanceUntil([&] { return readyEndpoints(c, "web") == 1; }, seconds(10)));
  REQUIRE(c.client().write(Write::remove({"services", "default", "web"})).ok());
  REQUIRE(c.advance(seconds(5)));
  CHECK(get(c, "endpoints", "web") == nullptr);
  CHECK(readyEndpoints(c, "web") == 0);
}

TEST_CASE("deleting a deployment: background takes all, foreground goes last, orphan leaves the pods") {
  for (const auto propagation : {Propagation::background, Propagation::foreground, Propagation::orphan}) {
    Simulator c({.seed = seedFor(18), .fleet = {.nodes = 2}});
    REQUIRE(c.apply(deployment("web", 3, "v1")).ok());
    REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=web") == 3; }, seconds(30)));
    bool ownerWentFirst = false;
    const auto look = [&] {
      if (!get(c, "deployments.apps", "web") && !c.state().list("replicasets.apps", "default").empty())
        ownerWentFirst = true;
    };
    c.driver().setBetweenSteps(look);
    REQUIRE(removeDeployment(c, propagation).ok());
    look();
    REQUIRE(c.advance(seconds(60)));
    c.driver().setBetweenSteps({});
    CHECK(get(c, "deployments.apps", "web") == nullptr);
    if (propagation == Propagation::orphan) {
      CHECK(c.ready("default", "app=web") == 3);
      CHECK(c.state().list("replicasets.apps", "default").at(0)->owners().empty());
    } else {
      CHECK(c.pods("default").empty());
      CHECK(c.state().list("replicasets.apps", "default").empty());
      CHECK(ownerWentFirst == (propagation == Propagation::background));
    }
  }
}

TEST_CASE("a control plane that crashes goes on where it was") {
  Simulator c({.seed = seedFor(19), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(deployment("web", 5, "v1")).ok());
  c.stopServer();
  REQUIRE(c.advance(seconds(5)));
  c.startServer();
  CHECK(c.advanceUntil([&] { return c.ready("default", "app=web") == 5; }, seconds(60)));
  c.stopServer();
  REQUIRE(c.advance(minutes(10)));
  CHECK(c.fleet().runningOn("node-1") + c.fleet().runningOn("node-2") == 5);
  c.startServer();
  REQUIRE(c.advance(seconds(60)));
  CHECK(c.ready("default", "app=web") == 5);
  CHECK(c.pods("default", "app=web").size() == 5);
}

TEST_CASE("a replication controller keeps its pods, and deleted pods come back") {
  Simulator c({.seed = seedFor(20), .fleet = {.nodes = 2}});
  REQUIRE(c.apply("apiVersion: v1\nkind: ReplicationController\nmetadata: {name: leader}\nspec:\n  replicas: 2\n  "
                  "selector: {app: leader}\n"
                  "  template:\n    metadata: {labels: {app: leader}}\n    spec: {containers: [{name: c, image: i}]}\n")
              .ok());
  REQUIRE(c.advanceUntil([&] { return c.ready("default", "app=leader") == 2; }, seconds(30)));
  for (const auto& pod : c.pods("default", "app=leader"))
    REQUIRE(c.client().write(Write::remove({"pods", "default", pod->name()})).ok());
  REQUIRE(c.advance(seconds(2)));
  CHECK(c.advanceUntil([&] { return c.ready("default", "app=leader") == 2; }, seconds(60)));
  CHECK(intAt(get(c, "replicationcontrollers", "leader")->status(), {"readyReplicas"}) == 2);
}
