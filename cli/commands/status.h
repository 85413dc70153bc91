#pragma once
// `steer status`: what is applied, and is it healthy?
#include "cli/command.h"

namespace steer::cli {

void addStatusCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
