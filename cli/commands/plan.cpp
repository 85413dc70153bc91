#include "cli/commands/plan.h"

#include <iostream>
#include <memory>

#include "cli/commands/planning.h"
#include "cli/commands/simulating.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"

namespace steer::cli {

namespace {

struct Flags {
  PlanningFlags planning;
  SimulateFlags simulate;
  bool detailed = false;
  bool refreshOnly = false;
  std::string out{};
};

/// 2 = there is something, when the caller wants to know; else 0.
int codeFor(const Flags& flags, bool something) { return flags.detailed && something ? 2 : 0; }

int showDrift(const Flags& flags) {
  const auto planned = planFrom(flags.planning, PlanOptions::Live::all, Findings::quarantine);
  if (!planned) return 1;
  return codeFor(flags, printDrift(planned->plans, flags.planning.output));
}

int showPlan(const Flags& flags) {
  const auto planned = planFrom(flags.planning, PlanOptions::Live::changing, Findings::quarantine);
  if (!planned) return 1;
  if (!flags.simulate.simulate) printPlans(planned->plans, flags.planning);
  else if (!printSimulated(*planned, flags.planning, flags.simulate)) return 1;
  if (const auto n = planned->plans.findings.size(); n != 0) {
    printError(std::to_string(n) + (n == 1 ? " finding: what it speaks of" : " findings: what they speak of") +
               " stays as it lives, and a cluster that follows this source applies the rest");
    if (!flags.out.empty()) printError("the plan was not saved");
    return 1;
  }
  const bool refused = planned->plans.counts().refused != 0;
  if (!flags.out.empty() && refused) printError("the plan was not saved: the server refuses a part of it");
  if (refused) return 1;
  if (!flags.out.empty()) {
    if (const auto saved = writePlanFile(flags.out, *planned, flags.planning); !saved.ok()) {
      printError(saved.error().message);
      return 1;
    }
    if (flags.planning.output == "text")
      std::cout << "Saved to " << flags.out << ". This does exactly that: steer apply " << flags.out << "\n";
  }
  return codeFor(flags, !planned->plans.empty());
}

}  // namespace

void addPlanCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("plan", "Show what applying would change");
  command.footer(
      "Exit code: 0 success, 1 error; with --detailed-exitcode 0 nothing to do, 2 changes, 1 error.\n"
      "A saved plan binds what it rests on: `steer apply FILE` does exactly that, or refuses and says what moved.\n"
      "Example: steer plan apps/ --out shop.plan && steer apply shop.plan");
  addPlanningFlags(command, flags->planning);
  addSimulateFlags(command, flags->simulate);
  command.flag("--detailed-exitcode", flags->detailed, "Exit with 2 when there are changes");
  const auto out = command.option("--out", flags->out, "Save the plan to this file, for `steer apply FILE`");
  command.flag("--refresh-only", flags->refreshOnly, "Plan nothing: show what others changed since the last apply")
      .excludes(out);
  command.runs([flags, &exit] { exit.value = flags->refreshOnly ? showDrift(*flags) : showPlan(*flags); });
}

}  // namespace steer::cli
