#pragma once
// `include`: only these directories and files of the source count. Pure.
#include <string>
#include <vector>

#include "reconciler/loop/source_keeper.h"

namespace steer {

/// Whether a file of the source lies in one of the paths; with no paths every file does.
bool isIncluded(const std::string& file, const std::vector<std::string>& paths);

/// A renderer without the objects and findings of other files. A finding without a file stays.
Renderer onlyIncluded(Renderer renderer, std::vector<std::string> paths);

}  // namespace steer
