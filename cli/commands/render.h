#pragma once
// `steer render`. Thread rule: main thread.
#include "cli/command.h"

namespace steer::cli {

void addRenderCommand(CLI::App& app, ExitCode& exit);

}  // namespace steer::cli
