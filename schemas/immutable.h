#pragma once
// What may not change after creation, by kind. Pure.
#include <vector>

#include "core/json.h"
#include "schemas/schema.h"
#include "schemas/validate.h"

namespace steer {

/// Both objects defaulted. An empty Service.spec.clusterIP in `after` means "keep what it has" and is no finding.
std::vector<Finding> checkImmutable(const KindSchema& kind, const json::object& before, const json::object& after);

}  // namespace steer
