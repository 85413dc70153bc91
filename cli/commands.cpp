#include "cli/commands.h"

#include "cli/commands/agent.h"
#include "cli/commands/completion.h"
#include "cli/commands/history.h"
#include "cli/commands/server.h"
#include "cli/commands/status.h"
#include "cli/commands/up.h"

namespace steer::cli {

std::vector<AddCommand> allCommands() {
  return {
      addUpCommand, addServerCommand, addAgentCommand, addStatusCommand, addHistoryCommand, addCompletionCommand,
  };
}

}  // namespace steer::cli
