// bench_schedule [PODS [NODES]]: one deployment's pods on simulated nodes, from its creation to the
// last pod running: the real store (SQLite, synchronous=FULL), API server, controllers and scheduler,
// each on its thread as in production, and the simulated nodes in the same process.
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/manager/manager.h"
#include "cluster/store/store.h"
#include "core/log.h"
#include "simulator/sim_fleet.h"

using namespace steer;

namespace {

using Clk = std::chrono::steady_clock;

double since(Clk::time_point start) { return std::chrono::duration<double>(Clk::now() - start).count(); }

/// Peak resident memory of this process so far, in MiB.
double peakMiB() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024.0;
  return 0;
}

json::object deployment(std::int64_t replicas) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "web"}, {"namespace", "default"}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", "web"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "web"}}}}},
              {"spec",
               {{"containers", json::array{json::object{
                                   {"name", "c"},
                                   {"image", "registry.example/web:1"},
                                   {"resources", {{"requests", {{"cpu", "100m"}, {"memory", "64Mi"}}}}}}}}}}}}}}};
}

/// Cheap questions, so that the measuring does not slow down what is measured.
bool allBound(const Snapshot& snapshot, std::size_t pods) {
  return snapshot.count("pods") == pods && snapshot.unboundPods().empty();
}

bool allRunning(const Snapshot& snapshot) {
  bool all = true;
  snapshot.scan("pods", "default", "", [&](const ObjectPtr& pod) {
    all = stringAt(pod->status(), {"phase"}) == "Running";
    return all;
  });
  return all;
}

struct TempDir {
  std::string path;
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bench-schedule-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
};

bool waitForNodes(const ApiServer& api, std::size_t nodes) {
  for (int i = 0; i < 6000; ++i) {
    std::size_t ready = 0;
    api.snapshot().each("nodes", "", [&](const ObjectPtr& node) {
      if (!arrayAt(node->status(), {"conditions"}).empty() && !stringAt(node->spec(), {"podCIDR"}).empty()) ++ready;
    });
    if (ready == nodes) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

int measure(ApiServer& api, Client& client, std::size_t pods, std::size_t nodes) {
  const double before = peakMiB();
  const auto start = Clk::now();
  if (const auto made = client.write(Write::create("deployments.apps", deployment(static_cast<std::int64_t>(pods))));
      !made.ok()) {
    std::fprintf(stderr, "deployment refused: %s\n", made.error().message.c_str());
    return 1;
  }
  double created = 0, bound = 0, running = 0;
  while (running == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto snapshot = api.snapshot();
    if (created == 0 && snapshot.count("pods") == pods) created = since(start);
    if (bound == 0 && created > 0 && allBound(snapshot, pods)) bound = since(start);
    if (bound > 0 && allRunning(snapshot)) running = since(start);
    if (since(start) > 300) {
      std::fprintf(stderr, "gave up after 300 s: %zu of %zu created\n", snapshot.count("pods"), pods);
      return 1;
    }
  }
  const auto row = [&](const char* what, double at) {
    std::printf("| %-8s | %8.3f | %8.0f |\n", what, at, static_cast<double>(pods) / at);
  };
  std::printf("%zu pods of one deployment on %zu nodes, one process\n", pods, nodes);
  std::printf("| all      |  seconds |   pods/s |\n|----------|---------:|---------:|\n");
  row("created", created);
  row("bound", bound);
  row("running", running);
  std::printf("peak resident memory: %.0f MiB (%.0f MiB with %zu idle nodes before)\n", peakMiB(), before, nodes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, std::size_t fallback) {
    return argc > i ? static_cast<std::size_t>(std::strtoull(argv[i], nullptr, 10)) : fallback;
  };
  const std::size_t pods = number(1, 5000), nodes = number(2, 1000);
  log::setLevel(log::Level::warn);
  const TempDir dir;
  auto backend = openSqliteLog(dir.path + "/state.db");
  if (!backend.ok()) return 1;
  auto store = Store::open(std::move(backend).value(), {});
  if (!store.ok()) return 1;
  SystemClock clock;
  Random random;
  ApiServer api(**store, clock, random, {});
  const auto client = makeInProcessClient(api, systemIdentity());
  ManagerOptions options;
  options.podCidr = "10.128.0.0/10";
  Manager manager(*client, clock, random, options);
  FleetOptions fleetOptions;
  fleetOptions.nodes = nodes;
  fleetOptions.startDelay = Duration::zero();
  SimFleet fleet(*client, fleetOptions);
  std::vector<std::unique_ptr<LoopThread>> threads;
  for (auto* loop : manager.loops()) threads.push_back(std::make_unique<LoopThread>(*loop, clock));
  threads.push_back(std::make_unique<LoopThread>(fleet, clock));
  if (!waitForNodes(api, nodes)) {
    std::fprintf(stderr, "the nodes did not become ready\n");
    return 1;
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));  // let the registration's echoes pass
  return measure(api, *client, pods, nodes);
}
