#include "cli/commands/apply.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "cli/commands/planning.h"
#include "cli/output.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/health/health.h"

namespace steer::cli {
namespace {

struct Flags {
  PlanningFlags planning;
  bool yes = false;
  bool wait = false;
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

/// Waits a moment; false after Ctrl-C.
bool pauseFor(Duration time) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::min<Duration>(time, milliseconds(200)), [] { return interrupted(); });
  return !interrupted();
}

const char* verbOf(PlanAction action) {
  switch (action) {
    case PlanAction::create:
      return "created";
    case PlanAction::update:
      return "updated";
    case PlanAction::replace:
      return "replaced";
    case PlanAction::remove:
      return "deleted";
    case PlanAction::none:
      break;
  }
  return "unchanged";
}

void printRow(const ApplyRun& run, const ApplyRun::Row& row) {
  const auto& change = run.plan().changes[row.change];
  if (row.done) std::cout << "  " << change.text() << " " << verbOf(change.action) << "\n";
  else
    std::cout << "  " << paint(Colour::red, change.text() + " failed: " + (row.error ? row.error->message : ""))
              << "\n";
}

/// What is not healthy yet, in words; empty when all is. `bad` is set when waiting will not help.
std::string unhealthy(Client& client, const std::vector<WantedObject>& wanted, bool& bad) {
  std::string first;
  for (const auto& w : wanted) {
    if (isHook(w.body)) continue;
    const auto object = client.get(w.ref);
    const Health health =
        object.ok() ? assessHealth(**object) : Health{HealthState::progressing, object.error().message};
    if (health.state == HealthState::healthy) continue;
    bad = bad || health.state == HealthState::degraded;
    if (first.empty() || health.state == HealthState::degraded) first = w.ref.text() + ": " + health.reason;
  }
  return first;
}

/// 0 = all done; 1 = something failed; 130 = interrupted.
int applyPlan(ApplyRun& run, bool quiet, const SystemClock& clock) {
  Progress progress("applying");
  std::size_t printed = 0;
  std::string stage;
  while (!run.finished()) {
    if (!quiet && run.stageName() != stage) {
      stage = run.stageName();
      std::cout << stage << "\n";
      progress.say("applying " + stage);
    }
    const auto before = run.stageName();
    const auto next = run.step(clock.now());
    if (run.stageName() != before && !quiet)
      for (; printed < run.rows().size(); ++printed) {
        const auto& row = run.rows()[printed];
        if (!row.done && !row.error) break;  // of a later wave
        printRow(run, row);
      }
    if (!run.waitingFor().empty()) progress.say("waiting for " + run.waitingFor());
    if (next && *next > clock.now() && !pauseFor(*next - clock.now())) return 130;
  }
  if (run.stopped()) printError(run.stopped()->reason + "; what comes after it was not applied");
  return run.failures() == 0 && !run.stopped() ? 0 : 1;
}

int waitForHealth(Client& client, const std::vector<WantedObject>& wanted, Duration timeout, const SystemClock& clock) {
  Progress progress("waiting for health");
  const Time until = clock.now() + timeout;
  for (;;) {
    bool bad = false;
    const std::string what = unhealthy(client, wanted, bad);
    if (what.empty()) {
      std::cout << "All objects are healthy.\n";
      return 0;
    }
    if (bad || clock.now() >= until) {
      printError((bad ? "degraded: " : "not healthy in time: ") + what);
      return 1;
    }
    progress.say("waiting for " + what);
    if (!pauseFor(milliseconds(200))) return 130;
  }
}

int applyOne(Client& client, Plan plan, const ApplyOptions& options, bool text, const SystemClock& clock) {
  ApplyRun run(client, std::move(plan), options);
  const int code = applyPlan(run, !text, clock);
  if (text) {
    std::cout << "Applied " << run.completed() << " of " << run.rows().size() << " changes.\n";
    return code;
  }
  for (const auto& row : run.rows())
    if (!row.done && row.error) printError(run.plan().changes[row.change].text() + ": " + row.error->message);
  return code;
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
  printPlans(planned->plans, flags.planning.output);
  if (!empty && !*saved && !flags.yes && !agreed(flags, planned->plans)) return 1;
  std::set<ObjectRef> meant;
  for (const auto& plan : planned->plans.plans)
    for (const auto& change : plan.changes) meant.insert(change.ref);
  std::erase_if(planned->wanted, [&](const WantedObject& w) { return !meant.contains(w.ref); });
  const SystemClock clock;
  int code = 0;
  ApplyOptions options;
  options.healthTimeout = *timeout;
  for (auto& plan : planned->plans.plans)
    if (code != 130 && (!plan.empty() || plan.hooksDue()))
      code = std::max(code, applyOne(*planned->client, std::move(plan), options, text, clock));
  if (code != 0 || !flags.wait) return code;
  return waitForHealth(*planned->client, planned->wanted, *timeout, clock);
}

}  // namespace

void addApplyCommand(CLI::App& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  auto* command = app.add_subcommand("apply", "Make the cluster as the source says");
  command->footer(
      "Shows the plan and asks on a terminal. A plan that `steer plan --out FILE` saved is not asked about: exactly "
      "that is\n"
      "done, or nothing when something it rests on has moved.\n"
      "Exit code: 0 everything is applied (and healthy, with --wait), 1 otherwise.\n"
      "Example: steer apply apps/ --yes --wait --timeout 5m");
  addPlanningFlags(*command, flags->planning);
  command->add_flag("-y,--yes", flags->yes, "Do not ask");
  command->add_flag("--wait", flags->wait, "Wait until everything is healthy");
  command->add_option("--timeout", flags->timeout, "How long a wave, a hook and --wait may take: 30s, 5m, 1h");
  command->callback([flags, &exit] { exit.value = runApply(*flags); });
}

}  // namespace steer::cli
