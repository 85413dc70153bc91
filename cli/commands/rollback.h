#pragma once
// `steer rollback`: takes an application back to an earlier commit.
#include "cli/command.h"

namespace steer::cli {

void addRollbackCommand(CLI::App& app, ExitCode& exit);

}  // namespace steer::cli
