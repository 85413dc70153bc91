#pragma once
// `steer agent`: one node of a cluster, on this machine or in this network namespace.
#include "cli/command.h"

namespace steer::cli {

void addAgentCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
