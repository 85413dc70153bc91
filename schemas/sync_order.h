#pragma once
// Where an object stands in the order of its application, as its annotations say: the wave
// (steersman.dev/wave, an integer, default 0) and whether it is a hook (steersman.dev/hook: pre-sync, sync,
// post-sync, sync-fail, pre-delete, post-delete). The names of Argo CD and Helm are understood too, so that
// repositories can move over; ours win where both stand. Pure.
#include <string_view>
#include <vector>

#include "core/json.h"

namespace steer {

class FieldPath;
class RuleReport;

inline constexpr std::string_view kWaveAnnotation = "steersman.dev/wave";
inline constexpr std::string_view kHookAnnotation = "steersman.dev/hook";

/// preSync: before everything else; sync: when everything is written; postSync: when everything is healthy;
/// syncFail: when a run failed; preDelete, postDelete: before and after an application's objects go with it.
enum class Hook { none, preSync, sync, postSync, syncFail, preDelete, postDelete };
inline bool runsAtDeletion(Hook hook) { return hook == Hook::preDelete || hook == Hook::postDelete; }

/// What becomes of a hook's object when it has run. A run always removes what is left of the one before.
struct HookEnd {
  bool removedOnSuccess = false;
  bool removedOnFailure = false;
};

struct SyncOrder {
  int wave = 0;
  Hook hook = Hook::none;      ///< the first of its phases
  std::vector<Hook> phases{};  ///< all of them, without repetitions
  HookEnd end{};
};

/// What cannot be read counts as not said; checkSyncOrder and remarksOnSync report it.
SyncOrder syncOrderOf(const json::object& object);
inline bool isHook(const json::object& object) { return syncOrderOf(object).hook != Hook::none; }
/// It says that it is a hook, although perhaps not which.
bool claimsHook(const json::object& object);
/// "pre-sync", "sync", "post-sync", "sync-fail", "pre-delete", "post-delete", "".
const char* hookName(Hook hook);

/// Findings about our own annotations. `at` is metadata.annotations.
void checkSyncOrder(const FieldPath& at, const json::object& object, RuleReport& report);

}  // namespace steer
