#pragma once
// The table of health rules: kind → pure function. A new rule is a new row.
#include <string_view>

#include "reconciler/health/health.h"

namespace steer {

using HealthRule = Health (*)(const Object& object);

/// nullptr when the kind has no rule of its own.
HealthRule healthRuleFor(std::string_view group, std::string_view kind);
/// status.conditions: Ready or Available False = progressing, Failed or Stalled True = degraded;
/// observedGeneration behind generation = progressing.
Health healthByConditions(const Object& object);

}  // namespace steer
