#include "cli/commands/apply.h"

#include <memory>

#include "cli/commands/planning.h"
#include "cli/plan_execution.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"
#include "reconciler/plan/delete_budget.h"

namespace steer::cli {
namespace {

struct Flags {
  PlanningFlags planning;
  bool yes = false;
  bool wait = false;
  std::vector<std::string> confirmed{};  ///< --confirm-delete
  std::string timeout = "5m";
};

std::optional<Duration> durationOf(const std::string& text) {
  if (text.size() < 2) return std::nullopt;
  const std::string digits = text.substr(0, text.size() - 1);
  if (digits.find_first_not_of("0123456789") != std::string::npos || digits.size() > 6) return std::nullopt;
  const long n = std::stol(digits);
  switch (text.back()) {
    case 's':
      return seconds(n);
    case 'm':
      return minutes(n);
    case 'h':
      return minutes(60 * n);
    default:
      return std::nullopt;
  }
}

/// What the plan itself says needs a person's yes. --destroy asks for just these deletions, and its --yes is that yes.
std::vector<DeleteVerdict> unconfirmed(const Flags& flags, const PlanSet& plans) {
  std::vector<DeleteVerdict> out;
  if (flags.planning.destroy) return out;
  for (const auto& plan : plans.plans) {
    auto verdict = checkDeletions(plan, plan.deleteBudget);
    if (!verdict.needsConfirmation || confirms(flags.confirmed, plan.digest(), verdict) ||
        confirms(flags.confirmed, plans.digest(), verdict) ||
        trailerSays(plan.confirmedDeletions, plan, verdict) == TrailerSays::yes)
      continue;
    out.push_back(std::move(verdict));
  }
  return out;
}

/// A general yes is none to what goes beyond the budget: that is named, or asked about on a terminal.
bool deletionsAgreed(const Flags& flags, const PlanSet& plans) {
  const auto open = unconfirmed(flags, plans);
  if (open.empty()) return true;
  if (stdinIsTerminal() && !flags.yes) {
    for (const auto& verdict : open)
      if (!confirm("Delete these although " + visible(verdict.reason) + "?")) return false;
    return true;
  }
  std::string digests;
  for (const auto& verdict : open) {
    printError("needs confirmation: " + visible(verdict.reason));
    digests += " --confirm-delete " + verdict.deletionsDigest.substr(0, 16);
  }
  printError("nothing was applied; --yes does not confirm this, but these words do:" + digests);
  return false;
}

/// Asks on a terminal. Without one, only what deletes everything must be agreed to beforehand.
bool agreed(const Flags& flags, const PlanSet& plans) {
  if (stdinIsTerminal())
    return confirm(flags.planning.destroy
                       ? "Delete " + std::to_string(plans.counts().remove) + " objects? There is no way back."
                       : "Apply this?");
  if (flags.planning.destroy) printError("nothing was deleted: without a terminal, --destroy needs --yes");
  return !flags.planning.destroy;
}

/// What the cluster applies by itself is not deleted, or taken away, behind its back.
bool trespassing(const Planned& planned) {
  const auto found = trespasses(planned.plans, planned.followed);
  for (const auto& trespass : found) printError(visible(trespass));
  if (!found.empty()) printError("nothing was applied");
  return !found.empty();
}

int runApply(const Flags& flags) {
  const auto timeout = durationOf(flags.timeout);
  if (!timeout) {
    printError("--timeout is a number with s, m or h, such as 5m");
    return 1;
  }
  const auto saved = findPlanFile(flags.planning);
  if (!saved.ok()) {
    printError(saved.error().message);
    return 1;
  }
  auto planned = *saved ? planFromFile(**saved, flags.planning) : planFrom(flags.planning);
  if (!planned) return 1;
  const bool text = flags.planning.output == "text";
  const bool empty = planned->plans.empty() && planned->plans.hooksDue() == 0;
  printPlans(planned->plans, flags.planning);
  if (trespassing(*planned)) return 1;
  if (!empty && !*saved && !flags.yes && !agreed(flags, planned->plans)) return 1;
  if (!deletionsAgreed(flags, planned->plans)) return 1;
  PlanExecution execution(*planned, {*timeout, !text, saved->get()});
  const int code = execution.run();
  return code != 0 || !flags.wait ? code : execution.waitForAll();
}

}  // namespace

void addApplyCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("apply", "Make the cluster as the source says");
  command.footer(
      "Shows the plan and asks on a terminal. A plan that `steer plan --out FILE` saved is not asked about: exactly "
      "that is\n"
      "done, or nothing when something it rests on has moved.\n"
      "Exit code: 0 everything is applied (and healthy, with --wait), 1 otherwise.\n"
      "Example: steer apply apps/ --yes --wait --timeout 5m");
  addPlanningFlags(command, flags->planning);
  command.flag("-y,--yes", flags->yes, "Do not ask; deletions beyond the budget still need --confirm-delete");
  command
      .option("--confirm-delete", flags->confirmed,
              "Yes to the deletions of a plan that needs a confirmation: the digest that it shows")
      .oneValueEach();
  command.flag("--wait", flags->wait, "Wait until everything is healthy");
  command.option("--timeout", flags->timeout, "How long a wave, a hook and --wait may take: 30s, 5m, 1h");
  command.runs([flags, &exit] { exit.value = runApply(*flags); });
}

}  // namespace steer::cli
