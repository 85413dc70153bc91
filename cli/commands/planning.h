#pragma once
// What `steer plan` and `steer apply` share: flags, the connection and the plans themselves.
// Thread rule: main thread. Failure rule: errors and findings are printed; nothing is returned then.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/inventory.h"
#include "cli/source_tree.h"
#include "cluster/client/client.h"
#include "reconciler/apply/planner.h"
#include "reconciler/plan/plan_text.h"

namespace steer::cli {

struct PlanningFlags {
  SourceRequest source{};
  std::string kubeconfig;
  std::string output = "text";
  std::string application{};  ///< empty = as inventoryFor says
  std::string ns = "default";
  std::vector<std::string> targets{};
  std::vector<std::string> excludes{};
  bool keepOthers = false;  ///< --no-prune
  bool noForce = false;     ///< --no-force
  bool destroy = false;     ///< the source is empty
  bool showCreates = false;
};

void addPlanningFlags(const CommandLine& command, PlanningFlags& flags);

struct Planned {
  std::unique_ptr<Client> client;
  std::vector<WantedObject> wanted;  ///< of all plans, as the source says it
  PlanSet plans;
  std::string commit{};  ///< that was read; empty for directories
  /// Digests of deletions that the commit's own trailers say yes to.
  std::vector<std::string> confirmedDeletions{};
  std::string cluster{};                        ///< uid of the cluster
  std::string application{};                    ///< whose objects these are
  std::vector<FollowedApplication> followed{};  ///< that the cluster applies by itself
  /// The same question to the cluster once more.
  std::function<Result<PlanSet>()> again{};
};

/// quarantine: as the cluster's own reconciler, which leaves wrong objects as they live and applies the rest.
enum class Findings { forbid, quarantine };

/// Reads, validates, connects and plans. Prints what is wrong, all findings at once.
std::optional<Planned> planFrom(const PlanningFlags& flags, PlanOptions::Live live = PlanOptions::Live::changing,
                                Findings findings = Findings::forbid);
/// In the format that the flags ask for.
void printPlans(const PlanSet& plans, const PlanningFlags& flags);
/// What others changed, in the format that the flags ask for; true when there is any.
bool printDrift(const PlanSet& plans, const std::string& format);

}  // namespace steer::cli
