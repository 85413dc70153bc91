#pragma once
// Saved plans on disk: `steer plan --out FILE`, `steer apply FILE`. The file is readable by its owner
// only, and holds no manifest and no value of a Secret; the source is read again when it is applied.
// Thread rule: main thread.
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cli/commands/planning.h"
#include "reconciler/plan/plan_file.h"

namespace steer::cli {

/// Errors: io; badRequest when the repository's address holds a password.
Result<void> writePlanFile(const std::string& file, const Planned& planned, const PlanningFlags& flags);

/// The saved plan that the first path of the command line is; null when it is anything else.
/// Errors: invalid for a damaged plan.
Result<std::shared_ptr<const SavedPlan>> findPlanFile(const PlanningFlags& flags);

/// Plans again from the same source and keeps what the file says. Prints what moved, and returns
/// nothing then. Paths after the file on the command line replace the directories it names.
std::optional<Planned> planFromFile(const SavedPlan& saved, const PlanningFlags& flags);

/// How a person plans and applies anew what a saved plan was made from.
std::string commandFor(const SavedPlan& saved);

/// Whether what is left of a saved plan is still what would happen, after `done` of it; prints what moved.
/// Deletions need no look: each is bound to the uid of its object.
bool restIsFresh(const SavedPlan& saved, const Planned& planned,
                 const std::set<std::pair<std::string, ObjectRef>>& done);

/// The same look for the object of one change: as it lives now (null: not at all), while all of what is left of the
/// plan is fresh; else a conflict that names what moved.
Result<ObjectPtr> lookAgain(const SavedPlan& saved, const Planned& planned,
                            const std::set<std::pair<std::string, ObjectRef>>& done, const std::string& application,
                            const ObjectRef& ref);

}  // namespace steer::cli
