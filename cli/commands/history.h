#pragma once
// `steer history`: what became of each commit.
#include "cli/command.h"

namespace steer::cli {

void addHistoryCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
