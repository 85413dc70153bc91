#pragma once
// `steer validate`. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addValidateCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
