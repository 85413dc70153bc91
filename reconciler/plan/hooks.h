#pragma once
// Hooks: objects, most often Jobs, that run at a phase of an application (schemas/sync_order.h). They
// are no part of the state that is kept: a hook runs once per commit when that commit changes anything
// or the hook itself has not run yet as it is written now, its last run stays until the next, and drift
// does not start it. Pure.
#include <set>
#include <string>
#include <vector>

#include "reconciler/plan/plan.h"

namespace steer {

/// On a run: what it ran for (a commit), and the digest of the manifest that it ran.
inline constexpr const char* kHookRun = "steersman.dev/hook-run";
inline constexpr const char* kHookDigest = "steersman.dev/hook-digest";

/// Takes the hooks out of the wanted objects, in the order in which they run.
std::vector<PlannedHook> takeHooks(std::vector<WantedObject>& wanted);
/// The object to apply for a run of this name. Its time to live is left out: the last run is kept.
json::object hookJob(const PlannedHook& hook, const std::string& run);
/// A run that went well: what it ran for, and what it ran. Several stand in one text, with spaces between.
std::string runMark(const PlannedHook& hook, const std::string& run);
std::set<std::string> runMarksIn(const std::string& text);
/// This run is there already, whatever became of it.
bool ranAs(const Object& job, const std::string& run);

}  // namespace steer
