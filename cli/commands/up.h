#pragma once
// `steer up`: a control plane and local nodes in the foreground.
#include "cli/command.h"

namespace steer::cli {

void addUpCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
