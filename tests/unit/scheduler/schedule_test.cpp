#include "cluster/scheduler/schedule.h"

#include "cluster/scheduler/preemption.h"

#include <chrono>
#include <random>
#include <set>

#include <catch2/catch.hpp>

using namespace steer;

namespace {

ObjectPtr node(const std::string& name, const std::string& cpu = "4", const std::string& memory = "8Gi",
               json::object spec = {}, json::object labels = {}) {
  return Object::make({{"apiVersion", "v1"},
                       {"kind", "Node"},
                       {"metadata", {{"name", name}, {"labels", std::move(labels)}}},
                       {"spec", std::move(spec)},
                       {"status",
                        {{"allocatable", {{"cpu", cpu}, {"memory", memory}, {"pods", "110"}}},
                         {"conditions", json::array{json::object{{"type", "Ready"}, {"status", "True"}}}}}}});
}

ObjectPtr pod(const std::string& name, const std::string& cpu = "100m", const std::string& memory = "64Mi",
              json::object spec = {}, const std::string& app = "web") {
  auto& containers = ensureArray(spec, "containers");
  if (containers.empty())
    containers.push_back({{"name", "c"}, {"resources", {{"requests", {{"cpu", cpu}, {"memory", memory}}}}}});
  return Object::make({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata",
                        {{"name", name},
                         {"namespace", "shop"},
                         {"uid", "u-" + name},
                         {"creationTimestamp", "2026-01-01T00:00:00Z"},
                         {"labels", {{"app", app}}}}},
                       {"spec", std::move(spec)}});
}

ClusterView viewOf(const std::vector<ObjectPtr>& nodes) {
  ClusterView view;
  for (const auto& n : nodes) view.putNode(n);
  return view;
}

}  // namespace

TEST_CASE("replicas are spread: nine pods on three nodes are three each") {
  auto view = viewOf({node("a"), node("b"), node("c")});
  std::vector<ObjectPtr> pods;
  for (int i = 0; i < 9; ++i) pods.push_back(pod("p" + std::to_string(i)));
  std::map<std::string, int> perNode;
  for (const auto& placement : schedule(view, pods)) ++perNode[placement.node];
  CHECK(perNode == std::map<std::string, int>{{"a", 3}, {"b", 3}, {"c", 3}});
}

TEST_CASE("a copy of the cluster places equally: what breaks ties is neither a uid nor the random end of a name") {
  for (const char* app : {"web", "db", "cache", "queue", "mail"}) {
    auto one = viewOf({node("a"), node("b"), node("c"), node("d")});
    auto other = viewOf({node("a"), node("b"), node("c"), node("d")});
    std::vector<std::string> here, there;
    for (int i = 0; i < 6; ++i) {
      const auto number = std::to_string(i);
      here.push_back(schedule(one, {pod("x" + number, "100m", "64Mi", {}, app)}).at(0).node);
    }
    // The same six, all at once and under other names.
    std::vector<ObjectPtr> pods;
    for (int i = 0; i < 6; ++i) pods.push_back(pod("q" + std::to_string(9 - i), "100m", "64Mi", {}, app));
    for (const auto& placement : schedule(other, pods)) there.push_back(placement.node);
    CHECK(here == there);
  }
}

TEST_CASE("pods of one second are placed in the order in which they were written, whatever their names") {
  const auto written = [](const std::string& name, const char* revision, const char* cpu) {
    json::object body = pod(name, cpu)->json();
    ensureObject(body, "metadata")["resourceVersion"] = revision;
    return Object::make(std::move(body));
  };
  auto view = viewOf({node("only", "1")});
  const auto placements = schedule(view, {written("a", "12", "700m"), written("b", "11", "600m")});
  CHECK(placements.at(0).pod->name() == "b");
  CHECK(placements.at(0).node == "only");
  CHECK(placements.at(1).node.empty());
}

TEST_CASE("a refusal counts the nodes by reason") {
  auto view = viewOf({node("a", "4", "1Gi"), node("b", "4", "1Gi"), node("c", "4", "8Gi", {{"unschedulable", true}})});
  const auto placements = schedule(view, {pod("p", "1", "2Gi")});
  CHECK(placements.at(0).node.empty());
  CHECK(placements.at(0).reason == "Unschedulable");
  CHECK(placements.at(0).message == "0/3 nodes are available: 2 Insufficient memory, 1 node is cordoned.");
}

TEST_CASE("each kind of refusal has its words") {
  auto said = [](const ObjectPtr& n, const ObjectPtr& p) {
    auto view = viewOf({n});
    return schedule(view, {p}).at(0).message;
  };
  const json::object tainted{
      {"taints", json::array{json::object{{"key", "gpu"}, {"value", "yes"}, {"effect", "NoSchedule"}}}}};
  CHECK(said(node("a", "4", "8Gi", tainted), pod("p")) ==
        "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.");
  CHECK(said(node("a"), pod("p", "1", "1Mi", {{"nodeSelector", {{"disk", "ssd"}}}})) ==
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
  CHECK(said(node("a", "1"), pod("p", "2")) == "0/1 nodes are available: 1 Insufficient cpu.");
  ClusterView none;
  CHECK(schedule(none, {pod("p")}).at(0).message == "no nodes available to schedule pods");
}

TEST_CASE("init containers count as their maximum, sidecars and overhead on top") {
  const json::object spec{{"overhead", {{"cpu", "100m"}}},
                          {"containers", json::array{json::object{{"resources", {{"requests", {{"cpu", "300m"}}}}}},
                                                     json::object{{"resources", {{"requests", {{"cpu", "200m"}}}}}}}},
                          {"initContainers", json::array{json::object{{"restartPolicy", "Always"},
                                                                      {"resources", {{"requests", {{"cpu", "50m"}}}}}},
                                                         json::object{{"resources", {{"requests", {{"cpu", "1"}}}}}}}}};
  CHECK(needsOf(pod("p", "", "", spec)).requests.milliCpu == 1150);
}

TEST_CASE("a host port is taken once per node") {
  const json::object spec{
      {"containers",
       json::array{json::object{{"ports", json::array{json::object{{"hostPort", 80}, {"containerPort", 80}}}}}}}};
  auto view = viewOf({node("a"), node("b")});
  const auto placements = schedule(view, {pod("p1", "", "", spec), pod("p2", "", "", spec), pod("p3", "", "", spec)});
  CHECK(placements[0].node != placements[1].node);
  CHECK(placements[2].message ==
        "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.");
}

TEST_CASE("affinity terms are alternatives, their expressions are not; preferences decide between equals") {
  const json::object required{
      {"affinity",
       {{"nodeAffinity",
         {{"requiredDuringSchedulingIgnoredDuringExecution",
           {{"nodeSelectorTerms",
             json::array{
                 json::object{
                     {"matchExpressions",
                      json::array{json::object{{"key", "zone"}, {"operator", "In"}, {"values", json::array{"x"}}},
                                  json::object{{"key", "disk"}, {"operator", "Exists"}}}}},
                 json::object{{"matchExpressions",
                               json::array{json::object{
                                   {"key", "size"}, {"operator", "Gt"}, {"values", json::array{"9"}}}}}}}}}}}}}}};
  auto view = viewOf({node("a", "4", "8Gi", {}, {{"zone", "x"}}), node("b", "4", "8Gi", {}, {{"size", "10"}})});
  CHECK(schedule(view, {pod("p", "1", "1Mi", required)}).at(0).node == "b");
  const json::object preferred{
      {"affinity",
       {{"nodeAffinity",
         {{"preferredDuringSchedulingIgnoredDuringExecution",
           json::array{
               json::object{{"weight", 10},
                            {"preference",
                             {{"matchExpressions",
                               json::array{json::object{
                                   {"key", "zone"}, {"operator", "In"}, {"values", json::array{"x"}}}}}}}}}}}}}}};
  auto fresh = viewOf({node("a", "4", "8Gi", {}, {{"zone", "x"}}), node("b")});
  CHECK(schedule(fresh, {pod("p", "1", "1Mi", preferred)}).at(0).node == "a");
}

TEST_CASE("a toleration admits, a gate holds, priority goes first") {
  const json::object tainted{{"taints", json::array{json::object{{"key", "k"}, {"effect", "NoExecute"}}}}};
  auto view = viewOf({node("a", "1", "8Gi", tainted)});
  const json::array all{json::object{{"operator", "Exists"}}};
  const auto placements =
      schedule(view, {pod("low", "600m", "1Mi", {{"tolerations", all}}),
                      pod("high", "600m", "1Mi", {{"tolerations", all}, {"priority", 5}}),
                      pod("gated", "1m", "1Mi",
                          {{"tolerations", all}, {"schedulingGates", json::array{json::object{{"name", "g"}}}}})});
  std::map<std::string, std::string> where;
  for (const auto& placement : placements)
    where[placement.pod->name()] = placement.node.empty() ? placement.reason : placement.node;
  CHECK(where ==
        std::map<std::string, std::string>{{"low", "Unschedulable"}, {"high", "a"}, {"gated", "SchedulingGated"}});
}

TEST_CASE("a place is given back when the pod ends, and a pod in flight keeps its place") {
  auto view = viewOf({node("a", "1")});
  const auto first = pod("p1", "800m");
  REQUIRE(schedule(view, {first}).at(0).node == "a");
  CHECK(schedule(view, {pod("p2", "800m")}).at(0).node.empty());
  auto bound = first->json();
  bound["spec"].as_object()["nodeName"] = "a";
  view.putPod(Object::make(bound));
  CHECK(schedule(view, {pod("p2", "800m")}).at(0).node.empty());
  bound["status"] = {{"phase", "Succeeded"}};
  view.putPod(Object::make(bound));
  CHECK(schedule(view, {pod("p2", "800m")}).at(0).node == "a");
}

TEST_CASE("no node is ever above its capacity, whatever comes and goes") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 chance(seed);
    ClusterView view;
    std::map<std::string, std::int64_t> capacity, used, limit, pods;
    for (int i = 0; i < 6; ++i) {
      const auto name = "n" + std::to_string(i);
      const auto cpu = 500 + static_cast<std::int64_t>(chance() % 2000);
      capacity[name] = cpu;
      view.putNode(node(name, std::to_string(cpu) + "m"));
    }
    std::vector<std::pair<ObjectPtr, std::string>> placed;
    for (int round = 0; round < 40; ++round) {
      std::vector<ObjectPtr> fresh;
      for (unsigned i = 0; i < chance() % 8; ++i)
        fresh.push_back(pod("p" + std::to_string(round) + "-" + std::to_string(i), std::to_string(chance() % 700) + "m",
                            "1Mi", {}, "app" + std::to_string(chance() % 3)));
      for (const auto& placement : schedule(view, fresh)) {
        if (placement.node.empty()) continue;
        used[placement.node] += needsOf(placement.pod).requests.milliCpu;
        placed.emplace_back(placement.pod, placement.node);
        INFO("seed " << seed << " round " << round);
        REQUIRE(used[placement.node] <= capacity[placement.node]);
      }
      while (!placed.empty() && chance() % 3 == 0) {
        const auto [gone, where] = placed.back();
        placed.pop_back();
        view.removePod(gone->uid());
        used[where] -= needsOf(gone).requests.milliCpu;
      }
    }
  }
}

TEST_CASE("5,000 pods find their places on 1,000 nodes in well under a second, five on each") {
  ClusterView view;
  for (int i = 0; i < 1000; ++i) view.putNode(node("node-" + std::to_string(i)));
  std::vector<ObjectPtr> pods;
  for (int i = 0; i < 5000; ++i) pods.push_back(pod("p" + std::to_string(i)));
  const auto start = std::chrono::steady_clock::now();
  std::map<std::string, int> perNode;
  for (const auto& placement : schedule(view, pods)) ++perNode[placement.node];
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took < std::chrono::seconds(2));  // of a debug build on a busy machine
  CHECK(perNode.size() == 1000);
  for (const auto& [name, n] : perNode) CHECK(n == 5);
}

TEST_CASE("who fits nowhere takes the place of as few as possible of the lowest priority") {
  auto view = viewOf({node("a", "2"), node("b", "2"), node("c", "2")});
  std::vector<ObjectPtr> bound;
  const auto place = [&](const std::string& name, const std::string& on, const char* cpu, int priority) {
    bound.push_back(pod(name, cpu, "64Mi", {{"nodeName", on}, {"priority", priority}}));
    view.putPod(bound.back());
  };
  place("a1", "a", "1500m", 50);
  place("b1", "b", "500m", 10);
  place("b2", "b", "500m", 10);
  place("b3", "b", "800m", 20);
  place("c1", "c", "1900m", 200);
  const auto victims = [&](const ObjectPtr& asks) {
    std::set<std::string> out;
    if (const auto found = preempt(view, asks, bound))
      for (const auto& victim : found->victims) out.insert(victim->name());
    return out;
  };
  CHECK(victims(pod("high", "1", "64Mi", {{"priority", 100}})) == std::set<std::string>{"b1", "b2"});
  CHECK(victims(pod("high", "600m", "64Mi", {{"priority", 100}})).size() == 1);
  CHECK(victims(pod("most", "2", "64Mi", {{"priority", 100}})) == std::set<std::string>{"b1", "b2", "b3"});
  CHECK(victims(pod("low", "1", "64Mi", {{"priority", 10}})).empty());
  CHECK(victims(pod("large", "3", "64Mi", {{"priority", 1000}})).empty());
  CHECK(victims(pod("polite", "1", "64Mi", {{"priority", 100}, {"preemptionPolicy", "Never"}})).empty());
  CHECK(victims(pod("here", "1", "64Mi", {{"priority", 100}, {"nodeName", ""}, {"nodeSelector", {{"no", "where"}}}}))
            .empty());
}
