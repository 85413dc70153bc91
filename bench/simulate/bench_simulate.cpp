// `steer plan --simulate` without reading the cluster over the network: a change is rehearsed on a copy
// of a cluster of 1,000 nodes and 5,000 pods. Goal: at most 2 s.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "reconciler/apply/planner.h"
#include "simulator/rehearsal.h"
#include "simulator/simulator.h"

using namespace steer;

namespace {

constexpr int kNodes = 1000;
constexpr int kDeployments = 50;
constexpr int kReplicas = 100;

json::object deployment(int number, const std::string& image, int replicas = kReplicas) {
  const std::string name = "web-" + std::to_string(number);
  const json::object labels{{"app", name}};
  const json::object container{
      {"name", "web"}, {"image", image}, {"resources", {{"requests", {{"cpu", "100m"}, {"memory", "64Mi"}}}}}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", labels}}},
            {"template", {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", json::array{container}}}}}}}}};
}

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Change {
  const char* name;
  std::vector<json::object> bodies;
};

void measure(Simulator& cluster, const Change& change) {
  std::vector<WantedObject> wanted;
  for (const auto& body : change.bodies)
    wanted.push_back(
        {{"deployments.apps", "default", std::string(stringAt(body, {"metadata", "name"}))}, body, {"web.yaml", 1, 1}});
  PlanOptions options;
  options.prune = PlanOptions::Prune::no;
  auto plan = makePlan(cluster.client(), wanted, options);
  if (!plan.ok()) std::exit((std::fprintf(stderr, "%s\n", plan.error().message.c_str()), 1));
  PlanSet set;
  set.plans.push_back(std::move(*plan));
  const auto begin = std::chrono::steady_clock::now();
  const auto read = readCluster(cluster.client());
  const double reading = secondsSince(begin);
  RehearsalOptions rehearsal;
  rehearsal.now = cluster.now();
  const auto start = std::chrono::steady_clock::now();
  const auto forecast = rehearse(*read, set, rehearsal);
  const double took = secondsSince(start);
  if (!forecast.ok()) std::exit((std::fprintf(stderr, "%s\n", forecast.error().message.c_str()), 1));
  std::printf("| %-44s | %8.3f | %8.3f | %7zu | %9.1f | %-7s |\n", change.name, reading, took, forecast->events.size(),
              std::chrono::duration<double>(forecast->took).count(), forecast->blocked() ? "blocked" : "healthy");
}

}  // namespace

int main() {
  SimulatorOptions options;
  options.fleet.nodes = kNodes;
  options.podCidr = "10.0.0.0/8";
  Simulator cluster(options);
  std::vector<Write> writes;
  for (int i = 0; i < kDeployments; ++i)
    writes.push_back(Write::apply("deployments.apps", deployment(i, "web:1"), "steersman", true));
  if (!cluster.settle()) return 1;
  for (const auto& answer : cluster.client().batch(std::move(writes), {}))
    if (!answer.ok()) return std::fprintf(stderr, "%s\n", answer.error().message.c_str()), 1;
  if (!cluster.advanceUntil([&] { return cluster.ready("default") == kDeployments * kReplicas; }, minutes(5))) return 1;
  std::printf("plan --simulate on %d nodes with %d running pods; goal: at most 2 s\n\n", kNodes,
              kDeployments * kReplicas);
  std::printf("| %-44s | %8s | %8s | %7s | %9s | %-7s |\n", "change", "read s", "run s", "events", "virtual s",
              "outcome");
  std::printf(
      "|----------------------------------------------|---------:|---------:|--------:|----------:|---------|\n");
  measure(cluster, {"nothing changes", {deployment(0, "web:1")}});
  measure(cluster, {"a new image for one deployment of 100", {deployment(0, "web:2")}});
  measure(cluster, {"100 replicas more", {deployment(0, "web:1", 200)}});
  std::vector<json::object> ten;
  for (int i = 0; i < 10; ++i) ten.push_back(deployment(i, "web:2"));
  measure(cluster, {"a new image for ten deployments (1,000 pods)", ten});
  std::vector<json::object> all;
  for (int i = 0; i < kDeployments; ++i) all.push_back(deployment(i, "web:2"));
  measure(cluster, {"a new image for all of the 5,000 pods", all});
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("\npeak resident memory, the simulated cluster itself included: %ld MiB\n", usage.ru_maxrss / 1024);
  return 0;
}
