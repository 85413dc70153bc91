#pragma once
// A directory of files that changes as a whole: readers see all of the old state or all of the new.
// Layout: files lie in "..<version>/", "..data" links to it, and each top-level name links through
// "..data", as Kubernetes lays out config maps. Thread rule: one caller per directory.
#include <filesystem>
#include <optional>
#include <vector>

#include "core/result.h"
#include "nodeagent/pod/volume_content.h"

namespace steer {

struct FileOwner {
  std::optional<std::int64_t> group;  ///< fsGroup
};

enum class Changed : bool { no, yes };

/// Errors: io naming the path. A failure leaves the old state in place.
Result<Changed> replaceFiles(const std::filesystem::path& directory, const std::vector<VolumeFile>& files,
                             const FileOwner& owner);

}  // namespace steer
