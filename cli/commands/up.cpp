#include "cli/commands/up.h"

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

/// Destroyed from the bottom up: callers go before what they call.
struct Running {
  std::unique_ptr<ControlPlane> plane;
  std::unique_ptr<LocalCluster> cluster;
  std::unique_ptr<ApplicationRunner> application;
};

struct Choices {
  RuntimeChoice runtime;
  LocalClusterOptions local;
  ControlPlaneOptions plane;
  SourceOptions source;
};

/// Everything that can be wrong in what was typed, before anything is started.
Result<Choices> choose(const Flags& flags) {
  Choices out;
  STEER_TRY(out.runtime, chooseRuntime(flags.runtime));
  if (!flags.capacity.empty()) {
    STEER_TRY(out.local.capacity, parseCapacity(flags.capacity));
  }
  if (flags.source.given()) {
    STEER_TRY(out.source, flags.source.options());
  }
  std::error_code ec;
  if (!flags.images.empty() && !std::filesystem::is_directory(flags.images, ec))
    return makeError(Errc::io, "--images: " + flags.images + " is not a directory");
  out.plane.dataDir = DataDir::choose(flags.dataDir);
  out.plane.listen = flags.listen;
  out.plane.allowedSources = flags.source.allowed;
  out.plane.podSecurityDefault = flags.source.podSecurityDefault();
  STEER_TRY(out.plane.controllers, ControllerSelection::parse(flags.source.controllers));
  STEER_TRY(out.plane.disabledAdmission, DisabledAdmission::parse(flags.source.disabledAdmission));
  out.plane.acceptLoss = flags.source.acceptLoss;
  out.local.dataDir = out.plane.dataDir;
  out.local.nodes = flags.nodes;
  out.local.runtime = out.runtime.kind;
  out.local.images = flags.images;
  return out;
}

Result<void> start(Running& running, Choices& choices, bool follow, const Clock& clock, Random& random) {
  STEER_CHECK(choices.plane.dataDir.ensure());
  STEER_TRY(running.cluster, LocalCluster::prepare(choices.local, choices.plane));
  STEER_TRY(running.plane, ControlPlane::start(choices.plane, clock, random));
  STEER_CHECK(publishFacts(running.plane->client(), running.cluster->facts()));
  STEER_CHECK(running.cluster->startNodes(*running.plane, clock));
  STEER_TRY(running.application, ApplicationRunner::start(follow ? std::optional(choices.source) : std::nullopt,
                                                          choices.plane.allowedSources, choices.plane.dataDir.source(),
                                                          running.plane->client(), clock));
  return {};
}

Result<void> up(const Flags& flags) {
  SystemClock clock;
  Random random;
  STEER_TRY(auto choices, choose(flags));
  if (!choices.runtime.reason.empty())
    std::cerr << "no real containers here (missing: " << choices.runtime.reason << "): nodes are simulated\n";
  auto progress = std::make_unique<Progress>("starting");
  Running running;
  STEER_CHECK(start(running, choices, flags.source.given(), clock, random));
  const bool ready = waitForNodes(running.plane->client(), flags.nodes, *progress);
  progress.reset();
  if (ready) {
    std::cout << "ready: API server at " << running.plane->url() << ", " << flags.nodes
              << (choices.runtime.kind == RuntimeKind::cri ? " nodes" : " simulated nodes") << ", kubeconfig "
              << choices.plane.dataDir.kubeconfig().string() << std::endl;
    waitForInterrupt();
  }
  std::cerr << "stopping\n";
  running.application.reset();
  running.cluster->stop();
  return {};
}

}  // namespace

void addUpCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("up", "Start a control plane and local nodes in the foreground");
  command.footer(
      "State stays in the data directory; a second `up` resumes it. Ctrl-C stops everything cleanly.\n"
      "Example: steer up --nodes 2 --repo ./fleet.git --branch main --path manifests");
  command.option("--data-dir", flags->dataDir, "Where state, keys and the kubeconfig live");
  command.option("--nodes", flags->nodes, "How many local nodes").between(0, 10000);
  command.option("--runtime", flags->runtime, "auto, cri (real containers) or sim (simulated)")
      .oneOf({"auto", "cri", "sim"});
  command.option("--node-capacity", flags->capacity, "Of each simulated node: cpu=4,memory=8Gi,pods=110");
  command.option("--listen", flags->listen, "ADDR:PORT of the API (port 0 = any free one)");
  command.option("--images", flags->images, "Directory of OCI archives that every node imports");
  flags->source.addTo(command);
  command.runs([flags, &exit] {
    if (const auto done = up(*flags); !done.ok()) {
      printError(done.error().message);
      exit.value = 1;
    }
  });
}

}  // namespace steer::cli
