#include "cli/commands/agent.h"

#include <iostream>
#include <memory>

#include "cli/cluster/node_process.h"
#include "cli/terminal.h"

namespace steer::cli {

void addAgentCommand(const CommandLine& app, ExitCode& exit) {
  auto options = std::make_shared<NodeProcessOptions>();
  const auto command = app.command("agent", "Run one node of a cluster on this machine");
  command.footer(
      "Stopping it (SIGTERM) leaves containers running; the next start adopts them. Ctrl-C stops them too.\n"
      "Example: steer agent --server https://control:6443 --token-file ./token --node-name n1");
  command.option("--server", options->server, "https://HOST:PORT of the API server").required();
  command.option("--token-file", options->tokenFile,
                 "File with the join token (else STEER_TOKEN in the environment); only to join");
  command.option("--node-name", options->nodeName, "Name of the node (default: the host's name)");
  command.option("--address", options->address, "Address of the node (default: the one that reaches the server)");
  command.option("--data-dir", options->dataDir, "Where images, volumes and logs live");
  command.option("--runtime-endpoint", options->runtimeEndpoint,
                 "Socket of an existing CRI runtime (default: a containerd of its own)");
  command.option("--images", options->images, "Directory of OCI archives to import");
  command.option("--shield", options->shielded, "Directory that no pod sees, such as a server's; may be repeated")
      .oneValueEach();
  command.option("--label", options->labels, "key=value on the node; may be repeated");
  command.runs([options, &exit] {
    if (const auto done = runNode(*options); !done.ok()) {
      printError(done.error().message);
      exit.value = 1;
    }
  });
}

}  // namespace steer::cli
