#pragma once
// What a class of volumes says to its driver. Pure.
#include <string_view>

#include "schemas/rules.h"

namespace steer {

/// Required; a qualified name, in any case.
void checkProvisioner(const FieldPath& at, std::string_view name, RuleReport& report);
void checkParameters(const FieldPath& at, const json::object& parameters, RuleReport& report);

}  // namespace steer
