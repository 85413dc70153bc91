#include "cli/commands/plan.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/commands/planning.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"

namespace steer::cli {

void addPlanCommand(CLI::App& app, ExitCode& exit) {
  struct Flags {
    PlanningFlags planning;
    bool detailed = false;
    std::string out{};
  };
  auto flags = std::make_shared<Flags>();
  auto* command = app.add_subcommand("plan", "Show what applying would change");
  command->footer(
      "Exit code: 0 success, 1 error; with --detailed-exitcode 0 nothing to do, 2 changes, 1 error.\n"
      "A saved plan binds what it rests on: `steer apply FILE` does exactly that, or refuses and says what moved.\n"
      "Example: steer plan apps/ --out shop.plan && steer apply shop.plan");
  addPlanningFlags(*command, flags->planning);
  command->add_flag("--detailed-exitcode", flags->detailed, "Exit with 2 when there are changes");
  command->add_option("--out", flags->out, "Save the plan to this file, for `steer apply FILE`");
  command->callback([flags, &exit] {
    const auto planned = planFrom(flags->planning);
    exit.value = 1;
    if (!planned) return;
    printPlan(planned->plan, flags->planning.output);
    const bool refused = planned->plan.counts().refused != 0;
    if (!flags->out.empty() && !refused) {
      if (const auto saved = writePlanFile(flags->out, *planned, flags->planning); !saved.ok()) {
        printError(saved.error().message);
        return;
      }
      if (flags->planning.output == "text")
        std::cout << "Saved to " << flags->out << ". This does exactly that: steer apply " << flags->out << "\n";
    } else if (refused && !flags->out.empty()) {
      printError("the plan was not saved: the server refuses a part of it");
    }
    exit.value = refused ? 1 : flags->detailed && !planned->plan.empty() ? 2 : 0;
  });
}

}  // namespace steer::cli
