#include "cli/commands.h"

#include "cli/commands/agent.h"
#include "cli/commands/apply.h"
#include "cli/commands/approve.h"
#include "cli/commands/completion.h"
#include "cli/commands/diff.h"
#include "cli/commands/history.h"
#include "cli/commands/plan.h"
#include "cli/commands/reconcile.h"
#include "cli/commands/render.h"
#include "cli/commands/rollback.h"
#include "cli/commands/server.h"
#include "cli/commands/status.h"
#include "cli/commands/up.h"
#include "cli/commands/validate.h"

namespace steer::cli {

std::vector<AddCommand> allCommands() {
  return {
      addPlanCommand,    addApplyCommand,    addUpCommand,        addServerCommand,     addAgentCommand,
      addRenderCommand,  addValidateCommand, addDiffCommand,      addStatusCommand,     addHistoryCommand,
      addApproveCommand, addRollbackCommand, addReconcileCommand, addCompletionCommand,
  };
}

}  // namespace steer::cli
