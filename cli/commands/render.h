#pragma once
// `steer render`. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addRenderCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
