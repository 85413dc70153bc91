#pragma once
// `steer validate`. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addValidateCommand(CLI::App& app, ExitCode& exit);

}  // namespace steer::cli
