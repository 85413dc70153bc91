#pragma once
// Colours of what is added, changed and removed, for everything that shows it. Thread rule: none.
#include <functional>
#include <string>

#include "diff/text.h"

namespace steer::cli {

/// Null when colour is not wanted.
std::function<std::string(Mark, const std::string&)> markPainter();

}  // namespace steer::cli
