#pragma once
// `steer reconcile`: an application looks at its source and at its objects at once.
#include "cli/command.h"

namespace steer::cli {

void addReconcileCommand(const CommandLine& app, ExitCode& exit);

}  // namespace steer::cli
