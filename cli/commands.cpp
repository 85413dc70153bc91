#include "cli/commands.h"

#include "cli/commands/completion.h"

namespace steer::cli {

std::vector<AddCommand> allCommands() {
  return {
      addCompletionCommand,
  };
}

}  // namespace steer::cli
