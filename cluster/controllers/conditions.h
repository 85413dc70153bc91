#pragma once
// status.conditions: one entry per type. Pure.
#include <string_view>

#include "core/clock.h"
#include "core/json.h"

namespace steer {

/// nullptr when the status has no condition of this type.
const json::object* findCondition(const json::object& status, std::string_view type);
bool conditionIs(const json::object& status, std::string_view type, std::string_view value);

struct Condition {
  std::string_view type;
  std::string_view status;  ///< "True" | "False" | "Unknown"
  std::string_view reason;
  std::string_view message;
};

/// Puts the condition in; lastTransitionTime moves only when the status does. Nothing changes when
/// status, reason and message are already so.
void setCondition(json::object& status, const Condition& condition, Time now);
void removeCondition(json::object& status, std::string_view type);

}  // namespace steer
