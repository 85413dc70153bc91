#pragma once
// Which functions and operators expressions have, with the types that they take. Source: the language definition of CEL
// and Kubernetes' documentation of its libraries, "Common Expression Language in Kubernetes". Thread rule: immutable
// after the first use.
#include <string_view>
#include <vector>

#include "schemas/cel/types.h"

namespace steer {

struct CelOverload {
  bool onObject = false;  ///< the first argument stands before the dot
  std::vector<CelType> takes{};
  CelType gives{};
};

/// Empty for a function that is not there. Names with dots are functions of a library: "optional.of".
const std::vector<CelOverload>& celOverloads(std::string_view name);

}  // namespace steer
