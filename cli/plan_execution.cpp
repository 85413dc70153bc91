#include "cli/plan_execution.h"

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <mutex>

#include "cli/command.h"
#include "cli/saved_plan.h"
#include "cli/terminal.h"
#include "reconciler/apply/pod_trouble.h"
#include "reconciler/health/health.h"
#include "reconciler/plan/ran_once.h"
#include "schemas/sync_policy.h"

namespace steer::cli {
namespace {

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

void printRow(const PlannedChange& change, const ApplyRun::Row& row) {
  const auto name = visible(change.text());
  if (row.heldBack) std::cout << "  " << name << " kept, because something could not be applied\n";
  else if (row.done) std::cout << "  " << name << " " << verbOf(change.action) << "\n";
  else
    std::cout << "  " << paint(Colour::red, name + " failed: " + visible(row.error ? row.error->message : "")) << "\n";
}

/// What is not healthy yet, in words; empty when all is. `bad` is set when waiting will not help.
std::string unhealthy(Client& client, const std::vector<WantedObject>& wanted, bool& bad) {
  std::string first;
  for (const auto& w : wanted) {
    if (!isState(w.body)) continue;
    const auto object = client.get(w.ref);
    if (!object.ok() && object.error().code == Errc::notFound && goesByItself(w.body)) continue;
    const Health health =
        object.ok() ? toldHealth(client, **object) : Health{HealthState::progressing, object.error().message};
    if (health.state == HealthState::healthy) continue;
    bad = bad || health.state == HealthState::degraded;
    if (first.empty() || health.state == HealthState::degraded) first = w.ref.text() + ": " + health.reason;
  }
  return first;
}

}  // namespace

PlanExecution::PlanExecution(Planned& planned, Options options) : planned_(planned), options_(options) {
  std::map<ObjectRef, const WantedObject*> wanted;
  for (const auto& w : planned.wanted) wanted[w.ref] = &w;
  for (auto& plan : planned.plans.plans) {
    Part part;
    part.application = plan.application;
    for (const auto& change : plan.changes)
      if (const auto it = wanted.find(change.ref); it != wanted.end() && change.action != PlanAction::remove)
        part.wanted.push_back(*it->second);
    part.plan = std::move(plan);
    parts_.push_back(std::move(part));
  }
  planned.plans.plans.clear();
}

int PlanExecution::run() {
  int worst = 0;
  for (auto& part : parts_) {
    if (dependenciesFailed(part.plan)) {
      printError("application " + part.application + " was not applied: one that it waits for failed");
      failed_.insert(part.application);
      worst = 1;
      continue;
    }
    if (part.plan.empty() && !part.plan.hooksDue()) continue;
    int code = waitForDependencies(part.plan);
    if (code == 0) code = apply(part);
    if (code == 130) {
      tellSteps();
      return code;
    }
    if (code != 0) failed_.insert(part.application);
    worst = std::max(worst, code);
  }
  if (worst != 0) tellSteps();
  return worst;
}

/// A saved plan that ended early: exactly what of it is done, what is not, and how to go on.
void PlanExecution::tellSteps() const {
  if (options_.saved == nullptr) return;
  const bool many = parts_.size() > 1;
  std::vector<std::string> landed, missing;
  for (const auto& part : parts_) {
    const std::string whose = many ? "application " + part.application + ": " : "";
    const auto steps = part.steps ? *part.steps : ApplyRun(*planned_.client, part.plan).steps();
    for (const auto& step : steps) {
      const auto count = [&](std::size_t n) {
        return whose + step.name + " (" + std::to_string(n) + " of " + std::to_string(step.changes) +
               (step.changes == 1 ? " change)" : " changes)");
      };
      if (step.done != 0) landed.push_back(count(step.done));
      if (step.done != step.changes) missing.push_back(count(step.changes - step.done));
    }
  }
  if (missing.empty()) return;
  const auto list = [](const char* title, const std::vector<std::string>& lines) {
    printError(title + std::string(lines.empty() ? " nothing" : ""));
    for (const auto& line : lines) std::cerr << "  " << visible(line) << "\n";
  };
  list("applied, and stays:", landed);
  list("not applied:", missing);
  std::cerr << "  To go on, plan what is left and apply that: " << visible(commandFor(*options_.saved)) << "\n";
}

bool PlanExecution::dependenciesFailed(const Plan& plan) const {
  return std::any_of(plan.waitsFor.begin(), plan.waitsFor.end(),
                     [&](const std::string& name) { return failed_.contains(name); });
}

int PlanExecution::waitForDependencies(const Plan& plan) {
  for (const auto& name : plan.waitsFor)
    for (const auto& part : parts_)
      if (part.application == name)
        if (const int code = waitForHealth(part.wanted, "application " + name); code != 0) return code;
  return 0;
}

int PlanExecution::apply(Part& part) {
  ApplyOptions options;
  options.healthTimeout = options_.timeout;
  const ApplyRun* running = nullptr;
  if (options_.saved != nullptr)
    options.lookAgain = [this, &running](const PlannedChange& change) {
      noteDone(*running);
      return lookAgain(*options_.saved, planned_, done_, running->plan().application, change.ref);
    };
  ApplyRun run(*planned_.client, std::move(part.plan), options);
  running = &run;
  const int code = carryOut(run);
  part.steps = run.steps();
  if (!options_.quiet) {
    std::cout << "Applied " << run.completed() << " of " << run.rows().size() << " changes.\n";
    return code;
  }
  for (const auto& row : run.rows())
    if (!row.done && row.error) printError(run.plan().changes[row.change].text() + ": " + row.error->message);
  return code;
}

void PlanExecution::noteDone(const ApplyRun& run) {
  for (const auto& row : run.rows())
    if (row.done || row.error) done_.emplace(run.plan().application, run.plan().changes[row.change].ref);
}

/// False when a saved plan has become stale on the way. The first step follows a look just taken.
bool PlanExecution::mayGoOn(const ApplyRun& run) {
  const bool first = !began_;
  began_ = true;
  if (first || options_.saved == nullptr) return true;
  noteDone(run);
  return restIsFresh(*options_.saved, planned_, done_);
}

int PlanExecution::carryOut(ApplyRun& run) {
  Progress progress("applying");
  std::size_t printed = 0;
  std::string stage;
  while (!run.finished()) {
    if (run.stageName() != stage) {
      if (!mayGoOn(run)) return 1;
      stage = run.stageName();
      if (!options_.quiet) std::cout << stage << "\n";
      progress.say("applying " + stage);
    }
    const auto next = run.step(clock_.now());
    if (run.stageName() != stage && !options_.quiet) printRows(run, printed);
    if (!run.waitingFor().empty()) progress.say("waiting for " + run.waitingFor());
    if (next && *next > clock_.now() && !pauseFor(*next - clock_.now())) return 130;
  }
  noteDone(run);
  if (run.stopped()) printError(run.stopped()->reason + "; what comes after it was not applied");
  return run.failures() == 0 && !run.stopped() ? 0 : 1;
}

void PlanExecution::printRows(const ApplyRun& run, std::size_t& printed) const {
  for (; printed < run.rows().size(); ++printed) {
    const auto& row = run.rows()[printed];
    if (!row.done && !row.error && !row.heldBack) break;  // of a later wave
    printRow(run.plan().changes[row.change], row);
  }
}

int PlanExecution::waitForAll() {
  std::vector<WantedObject> all;
  for (const auto& part : parts_) all.insert(all.end(), part.wanted.begin(), part.wanted.end());
  const int code = waitForHealth(all, "health");
  if (code == 0 && !options_.quiet) std::cout << "All objects are healthy.\n";
  return code;
}

int PlanExecution::waitForHealth(const std::vector<WantedObject>& wanted, const std::string& what) {
  Progress progress("waiting for " + what);
  const Time until = clock_.now() + options_.timeout;
  for (;;) {
    bool bad = false;
    const std::string who = unhealthy(*planned_.client, wanted, bad);
    if (who.empty()) return 0;
    if (bad || clock_.now() >= until) {
      printError((bad ? "degraded: " : "not healthy in time: ") + who);
      return 1;
    }
    progress.say("waiting for " + who);
    if (!pauseFor(milliseconds(200))) return 130;
  }
}

}  // namespace steer::cli
