#pragma once
// PathShield: directories of the node that no pod sees: the cluster's keys and state, other pods' volumes. A hostPath
// inside one is refused; one that contains it shows it empty. Thread rule: thread-safe, immutable.
// Limit: who sees the node's /proc or its devices, or holds its privileges, needs no path.
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

class PathShield {
 public:
  /// `empty`: a directory without anything in it, made when it is needed.
  PathShield(const std::vector<std::string>& directories, std::filesystem::path empty);

  /// The path without links. Errors: forbidden when it leads to or into a shielded directory.
  Result<std::filesystem::path> resolve(const std::string& hostPath) const;
  bool contains(const std::filesystem::path& real) const;
  /// What is mounted over the shielded directories below `mount`, whose source is `real`. Errors: forbidden when
  /// mounts of the container pass to the node, since these would as well.
  Result<std::vector<ContainerMount>> covers(const std::filesystem::path& real, const ContainerMount& mount) const;

 private:
  std::vector<std::filesystem::path> directories_;
  std::filesystem::path empty_;
};

}  // namespace steer
