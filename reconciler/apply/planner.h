#pragma once
// The planner's engine: reads what lives, asks the server what would become of it in one dry-run
// batch, and builds the Plan. Nothing is changed. Thread rule: as the client's.
// Failure rule: an error when the cluster cannot be read; what the server would refuse is part of
// the plan. Deletions are planned only from a desired set that was read completely: the caller
// never passes a broken one.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "reconciler/plan/plan_set.h"
#include "reconciler/plan/ran_once.h"
#include "reconciler/plan/selection.h"

namespace steer {

struct PlanOptions {
  std::string application = "root";
  std::string source;
  /// Off: nothing is deleted (a partial set, such as one directory of several).
  enum class Prune { no, yes } prune = Prune::yes;
  /// What is left to other managers, and whether their fields are taken.
  OwnershipPolicy policy{};
  /// Goes into the plan, which says what it would need.
  DeleteBudget deleteBudget{};
  /// Only these are planned and deleted.
  ObjectSelection selection{};
  /// Asked for by other applications: such an object changes its owner and is never deleted here.
  std::set<ObjectRef> elsewhere{};
  /// Asked for here and by these applications: while one of them owns it, it is left to that one.
  std::map<ObjectRef, std::set<std::string>> contested{};
  /// all: also objects that stay as they are come with their live state; costs a copy of each.
  enum class Live { changing, all } live = Live::changing;
  /// theseOnly: the wanted objects are a part of the application; nothing else is read or deleted.
  enum class Scope { whole, theseOnly } scope = Scope::whole;
  /// Objects that are not wanted as far as anyone can read, and yet must not be deleted.
  std::set<ObjectRef> keep{};
  /// What went by itself when it had done its work, and is not made again.
  RanOnce ranOnce{};
  /// remembered: ranOnce also names the hooks that ran and of which nothing is left (runMark).
  enum class HookRuns { forgotten, remembered } hookRuns = HookRuns::forgotten;
  /// The application goes, with what it owns.
  PlanInput::Ending ending = PlanInput::Ending::no;
  /// The user as whom everything is written and judged; what they may not do is refused in the plan.
  std::string account{};
};

/// `wanted` in any order; labels are added here.
Result<Plan> makePlan(Client& client, std::vector<WantedObject> wanted, const PlanOptions& options);

/// Several applications as one: what one declares, another may stand in, and an object that moves from
/// one to another changes its owner. In this order; `elsewhere` is filled in.
struct ApplicationWish {
  std::vector<WantedObject> wanted;
  PlanOptions options;
};
Result<PlanSet> makePlans(Client& client, std::vector<ApplicationWish> wishes);

}  // namespace steer
