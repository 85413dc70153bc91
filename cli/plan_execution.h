#pragma once
// PlanExecution: carries out the plans of a command, application by application, and tells how it goes.
// An application waits for the health of those it depends on, and is left out when one of them failed.
// With a saved plan, what is left of it is compared with the cluster before every further step.
// Thread rule: main thread; Ctrl-C ends every wait.
#include <set>
#include <string>
#include <vector>

#include "cli/commands/planning.h"
#include "core/clock.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/plan/plan_file.h"

namespace steer::cli {

class PlanExecution {
 public:
  struct Options {
    Duration timeout = minutes(5);     ///< of a wave, a hook, and every wait for health
    bool quiet = false;                ///< only errors
    const SavedPlan* saved = nullptr;  ///< what may be done; null = whatever was planned
  };

  /// The plans are taken out of `planned`.
  PlanExecution(Planned& planned, Options options);
  /// 0 = everything is done; 1 = something failed; 130 = interrupted.
  int run();
  /// Until everything that was planned is healthy. Codes as run().
  int waitForAll();

 private:
  struct Part {
    std::string application;
    Plan plan;
    std::vector<WantedObject> wanted;  ///< of its plan, as the source says it
    /// As far as it came; nothing = not begun.
    std::optional<std::vector<ApplyRun::Step>> steps{};
  };

  int apply(Part& part);
  void tellSteps() const;
  int carryOut(ApplyRun& run);
  void printRows(const ApplyRun& run, std::size_t& printed) const;
  bool dependenciesFailed(const Plan& plan) const;
  int waitForDependencies(const Plan& plan);
  int waitForHealth(const std::vector<WantedObject>& wanted, const std::string& what);
  bool mayGoOn(const ApplyRun& run);
  void noteDone(const ApplyRun& run);

  Planned& planned_;
  Options options_;
  SystemClock clock_;
  std::vector<Part> parts_;
  std::set<std::string> failed_;
  std::set<std::pair<std::string, ObjectRef>> done_;
  bool began_ = false;
};

}  // namespace steer::cli
