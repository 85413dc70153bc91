#pragma once
// `steer apply`: makes the cluster as the source says. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addApplyCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
