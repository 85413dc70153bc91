#pragma once
// What rules of controllers of pods share. Pure.
#include "schemas/rules/reading.h"

namespace steer {

/// A number of pods or a percentage of them, not negative; returns it, 0 for what cannot be read.
std::int64_t checkAmount(const FieldPath& at, const json::value* amount, RuleReport& report);
/// No percentage above 100.
void checkShareLimit(const FieldPath& at, const json::value* amount, RuleReport& report);

}  // namespace steer
