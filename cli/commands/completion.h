#pragma once
// `steer completion bash|zsh|fish`: shell completion made from the commands themselves.
#include "cli/command.h"

namespace steer::cli {

void addCompletionCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
