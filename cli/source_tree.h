#pragma once
// Manifests that a command line names: directories, files, or a revision of a repository.
// Thread rule: main thread. Failure rule: what cannot be read is an error; what people wrote wrongly
// are findings of the tree.
#include <string>
#include <vector>

#include "core/result.h"
#include "render/rendered_tree.h"

namespace steer::cli {

struct SourceRequest {
  std::vector<std::string> paths{};  ///< directories and files; used when repo is empty
  std::string repo{};                ///< address or directory of a repository
  std::string revision{};            ///< branch, tag or commit; empty = the remote's HEAD
  std::string path{};                ///< directory inside the repository
};

struct LoadedSource {
  RenderedTree tree;
  std::string commit{};  ///< id of the commit that was read; empty for directories
};

/// Reads, parses and validates. A repository is cloned into a folder of its own for the time of the call.
Result<LoadedSource> openSource(const SourceRequest& request);
/// The same, where the commit does not matter.
Result<RenderedTree> loadSource(const SourceRequest& request);

}  // namespace steer::cli
