#pragma once
// `steer rollback`: takes an application back to an earlier commit.
#include "cli/command.h"

namespace steer::cli {

void addRollbackCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
