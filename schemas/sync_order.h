#pragma once
// Where an object stands in the order of its application, as its annotations say: the wave
// (steersman.dev/wave, an integer, default 0) and, for a Job, whether it is a hook
// (steersman.dev/hook: pre-sync or post-sync). The names of Argo CD are understood too, so that
// repositories can move over; ours win where both stand. Pure.
#include <string_view>

#include "core/json.h"

namespace steer {

class FieldPath;
class RuleReport;

inline constexpr std::string_view kWaveAnnotation = "steersman.dev/wave";
inline constexpr std::string_view kHookAnnotation = "steersman.dev/hook";

enum class Hook { none, preSync, postSync };

struct SyncOrder {
  int wave = 0;
  Hook hook = Hook::none;
};

/// What cannot be read counts as not said; checkSyncOrder reports it.
SyncOrder syncOrderOf(const json::object& object);
inline bool isHook(const json::object& object) { return syncOrderOf(object).hook != Hook::none; }
/// It says that it is a hook, although perhaps not which or not as one may.
bool claimsHook(const json::object& object);
/// "pre-sync", "post-sync", "".
const char* hookName(Hook hook);

/// Findings about these annotations. `at` is metadata.annotations.
void checkSyncOrder(const FieldPath& at, const json::object& object, RuleReport& report);

}  // namespace steer
