#pragma once
// `steer plan`: what would change, and nothing changes. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addPlanCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
