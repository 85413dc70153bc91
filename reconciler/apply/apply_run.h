#pragma once
// ApplyRun: executes a Plan in waves, one batch per wave, without ever blocking on the cluster's
// own progress (a replaced object must be gone before it is made anew): step() does what can be
// done and says when to call again. Thread rule: one owner.
// Failure rule: a failed object is reported and does not hold back the others; errors that may
// pass are tried again a few times.
#include <optional>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "reconciler/plan/plan.h"

namespace steer {

struct ApplyOptions {
  Duration retryAfter = milliseconds(300);
  int attempts = 5;
  /// How long a replaced object may take to disappear.
  Duration removalTimeout = seconds(60);
};

class ApplyRun {
 public:
  struct Row {
    std::size_t change = 0;  ///< index into plan().changes
    bool done = false;
    std::optional<Error> error{};
    ObjectPtr result{};  ///< the object after it; its last state for a deletion
  };

  ApplyRun(Client& client, Plan plan, ApplyOptions options = {});

  /// Does at most one wave. Nothing = finished; a time = call again then (or earlier).
  std::optional<Time> step(Time now);
  bool finished() const { return stage_ == stages_.size(); }
  /// What is being done: "configuration", "delete workloads"; empty when finished.
  std::string stageName() const;
  const Plan& plan() const { return plan_; }
  /// One per change with an action, in the order of execution.
  const std::vector<Row>& rows() const { return rows_; }
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
    Wave wave = Wave::rest;
    bool removal = false;
    std::vector<Pending> pending;
  };
  Write writeFor(const Pending& pending) const;
  void settle(Pending& pending, const Result<ObjectPtr>& answer, Time now, std::vector<Pending>& left);
  void await(Pending& pending, Time now, std::vector<Pending>& left);

  Client& client_;
  Plan plan_;
  ApplyOptions options_;
  std::vector<Row> rows_;
  std::vector<Stage> stages_;
  std::size_t stage_ = 0;
};

}  // namespace steer
