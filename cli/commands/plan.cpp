#include "cli/commands/plan.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands/planning.h"

namespace steer::cli {

void addPlanCommand(CLI::App& app, ExitCode& exit) {
  struct Flags {
    PlanningFlags planning;
    bool detailed = false;
  };
  auto flags = std::make_shared<Flags>();
  auto* command = app.add_subcommand("plan", "Show what applying would change");
  command->footer(
      "Exit code: 0 success, 1 error; with --detailed-exitcode 0 nothing to do, 2 changes, 1 error.\n"
      "Example: steer plan apps/ --detailed-exitcode");
  addPlanningFlags(*command, flags->planning);
  command->add_flag("--detailed-exitcode", flags->detailed, "Exit with 2 when there are changes");
  command->callback([flags, &exit] {
    const auto planned = planFrom(flags->planning);
    exit.value = 1;
    if (!planned) return;
    printPlan(planned->plan, flags->planning.output);
    const bool refused = planned->plan.counts().refused != 0;
    exit.value = refused ? 1 : flags->detailed && !planned->plan.empty() ? 2 : 0;
  });
}

}  // namespace steer::cli
