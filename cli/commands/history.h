#pragma once
// `steer history`: what became of each commit.
#include "cli/command.h"

namespace steer::cli {

void addHistoryCommand(CLI::App& app, ExitCode& exit);

}  // namespace steer::cli
