#pragma once
// The files that config map, secret, downward API and projected volumes show. Pure.
#include <optional>
#include <string>
#include <vector>

#include "core/object.h"
#include "core/result.h"
#include "nodeagent/pod/environment.h"

namespace steer {

struct VolumeFile {
  std::string path;  ///< relative, never leaves the volume
  std::string data;
  unsigned mode = 0644;
  bool operator==(const VolumeFile&) const = default;
};

/// Sorted by path. Nothing for volumes that are not made of files (emptyDir, hostPath, …).
/// Errors: notFound for what is missing and not optional; invalid paths; unsupported sources.
Result<std::optional<std::vector<VolumeFile>>> volumeContent(const Object& pod, const json::value& volume,
                                                             const PodReferences& refs);

}  // namespace steer
