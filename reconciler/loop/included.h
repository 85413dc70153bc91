#pragma once
// `include`: only these directories and files of the source count. A pattern names a file, or a directory with
// everything below; * and ? stand for anything within one name, ** for any number of directories; a leading ! takes
// what it names away again, wherever in the list it stands. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/loop/source_keeper.h"

namespace steer {

/// What is wrong with a pattern, in words; empty when nothing is. Such a pattern matches nothing.
std::string includeProblem(std::string_view pattern);

/// Whether a file of the source is named; without patterns that name something every file is.
bool isIncluded(std::string_view file, const std::vector<std::string>& patterns);

/// A renderer without the objects and findings of other files. A finding without a file stays.
Renderer onlyIncluded(Renderer renderer, std::vector<std::string> patterns);

}  // namespace steer
