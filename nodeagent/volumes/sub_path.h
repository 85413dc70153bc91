#pragma once
// Opens a path inside a volume without ever leaving it, whatever links a pod has put there.
#include <filesystem>
#include <string>

#include "core/result.h"

namespace steer {

/// A file descriptor (O_PATH) that the caller closes. A path that does not exist is made as
/// directories. Errors: forbidden when the path leads out of the volume, io otherwise.
Result<int> openInside(const std::filesystem::path& volume, const std::string& subPath);

}  // namespace steer
