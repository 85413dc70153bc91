#pragma once
// `steer server`: the control plane on a machine of its own.
#include "cli/command.h"

namespace steer::cli {

void addServerCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
