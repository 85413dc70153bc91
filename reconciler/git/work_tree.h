#pragma once
// WorkTree: the checked-out repository that a directory lies in. Read only. Thread rule: as libgit2.
#include <optional>
#include <string>
#include <vector>

namespace steer {

struct WorkTree {
  std::string root;               ///< absolute, without a slash at the end
  std::vector<std::string> urls;  ///< of its remotes, without passwords
};

/// Nothing when the directory lies in no repository with a work tree, or the repository cannot be read.
std::optional<WorkTree> workTreeOf(const std::string& directory);

/// Addresses of the remotes of a repository on this machine, bare or not; empty when there is none.
std::vector<std::string> remotesOf(const std::string& repository);

/// The commits among these that the repository around a directory holds: it is a clone of where they come from.
std::vector<std::string> commitsHeld(const std::string& directory, const std::vector<std::string>& commits);

}  // namespace steer
