#pragma once

#include <string>
#include <string_view>

namespace steer {

/// The absolute path of a file of the source tree, e.g. "tests/golden/validate". Tests read their fixtures through it;
/// no test is compiled with a path, so that a compiler cache serves every checkout.
std::string sourcePath(std::string_view relative);

}  // namespace steer
