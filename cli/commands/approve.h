#pragma once
// `steer approve`: says yes to deletions that wait.
#include "cli/command.h"

namespace steer::cli {

void addApproveCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
