#pragma once
// `include`: only these directories and files of the source count. A pattern names a file, or a directory with
// everything below; * and ? stand for anything within one name, ** for any number of directories; a leading ! takes
// what it names away again, wherever in the list it stands. Pure.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/loop/source_keeper.h"

namespace steer {

/// What is wrong with a pattern, in words; empty when nothing is. Such a pattern matches nothing.
std::string includeProblem(std::string_view pattern);

/// Whether a file of the source is named; without patterns that name something every file is.
bool isIncluded(std::string_view file, const std::vector<std::string>& patterns);

/// Takes the objects and findings of other files away. A finding without a file stays.
/// inSource: a file, as it was rendered, in terms of the root of the source; null = it is that already.
void keepIncluded(Rendered& all, const std::vector<std::string>& patterns,
                  const std::function<std::string(const std::string& file)>& inSource = nullptr);

/// A renderer that does this.
Renderer onlyIncluded(Renderer renderer, std::vector<std::string> patterns);

}  // namespace steer
