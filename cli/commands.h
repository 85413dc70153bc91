#pragma once
// The table of all commands.
#include <vector>

#include "cli/command.h"

namespace steer::cli {

std::vector<AddCommand> allCommands();

}  // namespace steer::cli
