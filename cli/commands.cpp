#include "cli/commands.h"

#include "cli/commands/completion.h"
#include "cli/commands/diff.h"
#include "cli/commands/render.h"
#include "cli/commands/validate.h"

namespace steer::cli {

std::vector<AddCommand> allCommands() {
  return {
      addCompletionCommand,
      addDiffCommand,
      addRenderCommand,
      addValidateCommand,
  };
}

}  // namespace steer::cli
