#pragma once
// Rules that config maps and secrets share. Pure; no value appears in a finding.
#include <string_view>
#include <vector>

#include "cluster/apiserver/kind_strategy.h"

namespace steer {

void checkDataKeys(const json::object& object, std::initializer_list<std::string_view> fields,
                   std::vector<Cause>& causes);

}  // namespace steer
