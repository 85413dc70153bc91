#pragma once
// ApplyRun: executes a Plan in order: pre-sync hooks, then wave by wave (one batch for each group of
// kinds), each wave waiting for the health of the one before, then deletions in reverse, then
// post-sync hooks. It never blocks on the cluster's own progress: step() does what can be done and
// says when to call again. Thread rule: one owner.
// Failure rule: an object that is refused is reported and does not hold back the others, but nothing is
// deleted in such a run (but for what makes way): what was to take its place may not be there. Errors that
// may pass are tried again a few times. A hook that fails, and a wave that does not become healthy,
// stop the run: what comes after is not applied.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "reconciler/apply/hook_run.h"
#include "reconciler/apply/wave_watch.h"
#include "reconciler/plan/plan.h"

namespace steer {

struct ApplyOptions {
  Duration retryAfter = milliseconds(300);
  int attempts = 5;
  /// How long a replaced object, or a wave that is deleted, may take to disappear.
  Duration removalTimeout = seconds(60);
  /// How long a wave may take to become healthy, and a hook to complete.
  Duration healthTimeout = minutes(10);
  /// whenDue: as the plan says (Plan::hooksDue); always: this run goes on with one that began them.
  enum class Hooks { skip, whenDue, always } hooks = Hooks::whenDue;
  /// Set: every write is bound to the state that the plan was made from, and each step is one transaction. When
  /// something was faster, this is asked: the object as it lives now, when the plan still holds for it, and it is
  /// tried again; else an error that says what moved, and the run ends. Null: what is planned is written whatever
  /// came in between.
  std::function<Result<ObjectPtr>(const PlannedChange&)> lookAgain{};
  /// What the hooks run for; one that ran for it already is not run again. Empty: this very run.
  std::string hookRun{};
};

class ApplyRun {
 public:
  struct Row {
    std::size_t change = 0;  ///< index into plan().changes
    bool done = false;
    std::optional<Error> error{};
    ObjectPtr result{};     ///< the object after it; its last state for a deletion
    bool heldBack = false;  ///< a deletion that was not done, because something of this run could not be applied
  };
  /// A step of the order, as far as it came.
  struct Step {
    std::string name;  ///< as stageName()
    std::size_t changes = 0;
    std::size_t done = 0;
  };
  struct Stop {
    enum class Why { hookFailed, degraded, timedOut, stale } why = Why::hookFailed;
    std::string reason;
  };

  ApplyRun(Client& client, Plan plan, ApplyOptions options = {});

  /// Does at most one stage. Nothing = finished; a time = call again then (or earlier). `lookUp` tells of
  /// objects while a wave is waited for; without it the client is asked.
  std::optional<Time> step(Time now, const LookUp& lookUp = {});
  bool finished() const { return stage_ == stages_.size(); }
  /// What is being done: "configuration", "delete workloads", "wave 2: services"; empty when finished.
  std::string stageName() const;
  /// Those that write, in their order.
  std::vector<Step> steps() const;
  /// What a wait is for, in words; empty when it waits for nothing.
  const std::string& waitingFor() const { return waitingFor_; }
  /// It may be abandoned now, because the plan of something newer takes care of what it leaves. Not
  /// while an object is deleted and not yet made anew.
  bool interruptible() const;
  const Plan& plan() const { return plan_; }
  /// One per change with an action, in the order of execution.
  const std::vector<Row>& rows() const { return rows_; }
  /// Those that run in this run, begun or not.
  std::vector<const HookRun*> hooks() const;
  /// Why it ended before its time.
  const std::optional<Stop>& stopped() const { return stop_; }
  std::size_t failures() const;
  std::size_t completed() const;

 private:
  struct Pending {
    std::size_t row = 0;
    enum class Phase { write, await } phase = Phase::write;
    int attempts = 0;
    Time until{};
  };
  struct Stage {
    enum class Kind { changes, removals, health, hooks, failHooks } kind = Kind::changes;
    int syncWave = 0;
    Wave wave = Wave::rest;
    bool awaitGone = false;  ///< removals: another wave follows
    std::vector<Pending> pending{};
    std::vector<std::size_t> rows{};     ///< all that it writes, done or not
    std::vector<std::size_t> watched{};  ///< health: changes
    std::vector<HookRun> hooks{};
    std::optional<WaveWatch> watch{};
    std::optional<Time> until{};
  };
  class StageBuilder;

  std::optional<Time> write(Stage& stage, Time now);
  bool holdsBack(const Stage& stage) const;
  std::optional<Time> remove(Stage& stage, Time now);
  std::optional<Time> writeBound(Stage& stage, const std::vector<Pending>& writing, std::vector<Write> writes,
                                 std::vector<Pending> left, Time now);
  std::optional<Time> watch(Stage& stage, Time now, const LookUp& lookUp);
  std::optional<Time> runHooks(Stage& stage, Time now);
  Write writeFor(const Pending& pending) const;
  void advance(bool stageOver);
  std::string nameOf(const Stage& stage) const;
  json::object boundBody(const PlannedChange& change, bool anew) const;
  Write removalOf(const PlannedChange& change, bool awaited) const;
  void settle(Pending& pending, const Result<ObjectPtr>& answer, Time now, std::vector<Pending>& left);
  void await(Pending& pending, Time now, std::vector<Pending>& left);

  Client& client_;
  Plan plan_;
  ApplyOptions options_;
  std::vector<Row> rows_;
  std::vector<Stage> stages_;
  std::size_t stage_ = 0;
  bool manyWaves_ = false;
  std::string waitingFor_;
  std::optional<Stop> stop_;
};

}  // namespace steer
