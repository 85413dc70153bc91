#pragma once
// What `steer plan` and `steer apply` share: flags, the connection and the plan itself.
// Thread rule: main thread. Failure rule: errors and findings are printed; nothing is returned then.
#include <memory>
#include <optional>
#include <string>

#include "cli/source_tree.h"
#include "cluster/client/client.h"
#include "reconciler/apply/planner.h"
#include "reconciler/plan/plan_text.h"

namespace CLI {
class App;
}

namespace steer::cli {

struct PlanningFlags {
  SourceRequest source{};
  std::string kubeconfig;
  std::string output = "text";
  std::string application = "root";
  std::string ns = "default";
  bool keepOthers = false;  ///< --no-prune
};

void addPlanningFlags(CLI::App& command, PlanningFlags& flags);

struct Planned {
  std::unique_ptr<Client> client;
  std::vector<WantedObject> wanted;
  Plan plan;
  std::string commit{};   ///< that was read; empty for directories
  std::string cluster{};  ///< uid of the cluster
};

/// Reads, validates, connects and plans. Prints what is wrong, all findings at once.
std::optional<Planned> planFrom(const PlanningFlags& flags, PlanOptions::Live live = PlanOptions::Live::changing);
/// In the format that the flags ask for.
void printPlan(const Plan& plan, const std::string& format);

}  // namespace steer::cli
