#include "cli/commands/server.h"

#include <iostream>
#include <memory>

#include "cli/cluster/application_runner.h"
#include "cli/cluster/cluster_facts.h"
#include "cli/cluster/control_plane.h"
#include "cli/cluster/source_flags.h"
#include "cli/terminal.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string dataDir;
  std::string listen = "127.0.0.1:6443";
  std::string podCidr = "10.244.0.0/16";
  std::string serviceCidr = "10.96.0.0/16";
  SourceFlags source;
};

Result<void> serve(const Flags& flags) {
  SystemClock clock;
  Random random;
  ControlPlaneOptions options;
  options.dataDir = DataDir::choose(flags.dataDir);
  options.listen = flags.listen;
  options.podCidr = flags.podCidr;
  options.serviceCidr = flags.serviceCidr;
  options.allowedSources = flags.source.allowed;
  options.podSecurityDefault = flags.source.podSecurityDefault();
  STEER_TRY(options.controllers, ControllerSelection::parse(flags.source.controllers));
  STEER_TRY(options.disabledAdmission, DisabledAdmission::parse(flags.source.disabledAdmission));
  options.acceptLoss = flags.source.acceptLoss;
  STEER_CHECK(options.dataDir.ensure());
  STEER_TRY(const auto plane, ControlPlane::start(options, clock, random));
  STEER_CHECK(publishFacts(plane->client(), {flags.podCidr, flags.serviceCidr, "cluster.local", "steer"}));
  std::optional<SourceOptions> root;
  if (flags.source.given()) {
    STEER_TRY(root, flags.source.options());
  }
  STEER_TRY(const auto application,
            ApplicationRunner::start(root, flags.source.allowed, options.dataDir.source(), plane->client(), clock));
  std::cout << "ready: API server at " << plane->url() << ", kubeconfig " << options.dataDir.kubeconfig().string()
            << ", join token in " << options.dataDir.agentToken().string() << std::endl;
  waitForInterrupt();
  return {};
}

}  // namespace

void addServerCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("server", "Run the control plane; nodes join it with `steer agent`");
  command.footer(
      "Example: steer server --listen 0.0.0.0:6443 --repo https://example.org/fleet.git --path clusters/one");
  command.option("--data-dir", flags->dataDir, "Where state, keys and the kubeconfig live");
  command.option("--listen", flags->listen, "ADDR:PORT of the API (port 0 = any free one)");
  command.option("--pod-cidr", flags->podCidr, "Addresses of pods; each node gets a part");
  command.option("--service-cidr", flags->serviceCidr, "Addresses of services");
  flags->source.addTo(command);
  command.runs([flags, &exit] {
    if (const auto served = serve(*flags); !served.ok()) {
      printError(served.error().message);
      exit.value = 1;
    }
  });
}

}  // namespace steer::cli
