#pragma once
// The records below records/ of a status tree, looked at without reading all of them: they are only ever added, and
// there may be a hundred thousand. Paths are ordered by time. Thread rule: as libgit2's repositories.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reconciler/git/git_handles.h"

namespace steer::git {

using RecordBlobs = std::map<std::string, std::string>;  ///< ids by path

/// The newest ones, newest first. tree: of the status branch; null = there are none.
std::vector<std::pair<std::string, std::string>> newestRecords(git_repository* repo, git_tree* tree, std::size_t count);
/// Those of `tree` that `base` lacks; what both share is passed over as a whole.
RecordBlobs recordsOnlyIn(git_repository* repo, git_tree* tree, git_tree* base);
bool hasRecord(git_tree* tree, const std::string& path);

}  // namespace steer::git
