#pragma once
// Control groups of pods, in every hierarchy of version 1 and in version 2.
#include <string>

#include "core/result.h"

namespace steer {

/// Removes the group (and the empty groups below it) from every hierarchy; what is not there is no
/// error. Errors: io when processes are still in it.
Result<void> removeCgroup(const std::string& path);

}  // namespace steer
