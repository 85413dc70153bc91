#pragma once
// `steer diff`. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addDiffCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
