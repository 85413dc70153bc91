#include "cli/commands/up.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/cluster/application_runner.h"
#include "cli/cluster/cluster_facts.h"
#include "cli/cluster/control_plane.h"
#include "cli/cluster/local_cluster.h"
#include "cli/cluster/runtime_choice.h"
#include "cli/cluster/source_flags.h"
#include "cli/terminal.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string dataDir;
  unsigned nodes = 1;
  std::string runtime = "auto";
  std::string capacity;
  std::string listen = "127.0.0.1:6443";
  std::string images;
  SourceFlags source;
};

/// Polls until the number of Ready nodes is reached or somebody interrupts.
bool waitForNodes(Client& client, unsigned wanted, Progress& progress) {
  while (!interrupted()) {
    unsigned ready = 0;
    if (const auto nodes = client.list("nodes", {}); nodes.ok())
      for (const auto& node : nodes->items)
        for (const auto& condition : arrayAt(node->status(), {"conditions"}))
          if (stringAt(condition, {"type"}) == "Ready" && stringAt(condition, {"status"}) == "True") ++ready;
    if (ready >= wanted) return true;
    progress.say("waiting for nodes: " + std::to_string(ready) + " of " + std::to_string(wanted) + " are Ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

Result<void> up(const Flags& flags) {
  SystemClock clock;
  Random random;
  STEER_TRY(const auto runtime, chooseRuntime(flags.runtime));
  if (!runtime.reason.empty())
    std::cerr << "no real containers here (missing: " << runtime.reason << "): nodes are simulated\n";
  LocalClusterOptions local;
  if (!flags.capacity.empty()) {
    STEER_TRY(local.capacity, parseCapacity(flags.capacity));
  }
  ControlPlaneOptions options;
  options.dataDir = DataDir::choose(flags.dataDir);
  options.listen = flags.listen;
  STEER_CHECK(options.dataDir.ensure());
  local.dataDir = options.dataDir;
  local.nodes = flags.nodes;
  local.runtime = runtime.kind;
  local.images = flags.images;
  auto progress = std::make_unique<Progress>("starting");
  STEER_TRY(const auto cluster, LocalCluster::prepare(local, options));
  STEER_TRY(const auto plane, ControlPlane::start(options, clock, random));
  STEER_CHECK(publishFacts(plane->client(), cluster->facts()));
  STEER_CHECK(cluster->startNodes(*plane, clock));
  std::unique_ptr<ApplicationRunner> application;
  if (flags.source.given()) {
    STEER_TRY(const auto source, flags.source.options());
    application = std::make_unique<ApplicationRunner>(source, options.dataDir.source(), plane->client(), clock);
  }
  if (waitForNodes(plane->client(), flags.nodes, *progress)) {
    progress.reset();
    std::cout << "ready: API server at " << plane->url() << ", " << flags.nodes
              << (runtime.kind == RuntimeKind::cri ? " nodes" : " simulated nodes") << ", kubeconfig "
              << options.dataDir.kubeconfig().string() << std::endl;
    waitForInterrupt();
  }
  progress.reset();
  std::cerr << "stopping\n";
  application.reset();
  cluster->stop();
  return {};
}

}  // namespace

void addUpCommand(CLI::App& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  auto* command = app.add_subcommand("up", "Start a control plane and local nodes in the foreground");
  command->footer(
      "State stays in the data directory; a second `up` resumes it. Ctrl-C stops everything cleanly.\n"
      "Example: steer up --nodes 2 --repo ./fleet.git --branch main --path manifests");
  command->add_option("--data-dir", flags->dataDir, "Where state, keys and the kubeconfig live");
  command->add_option("--nodes", flags->nodes, "How many local nodes")->check(CLI::Range(0, 10000));
  command->add_option("--runtime", flags->runtime, "auto, cri (real containers) or sim (simulated)")
      ->check(CLI::IsMember({"auto", "cri", "sim"}));
  command->add_option("--node-capacity", flags->capacity, "Of each simulated node: cpu=4,memory=8Gi,pods=110");
  command->add_option("--listen", flags->listen, "ADDR:PORT of the API (port 0 = any free one)");
  command->add_option("--images", flags->images, "Directory of OCI archives that every node imports");
  flags->source.addTo(*command);
  command->callback([flags, &exit] {
    if (const auto done = up(*flags); !done.ok()) {
      printError(done.error().message);
      exit.value = 1;
    }
  });
}

}  // namespace steer::cli
