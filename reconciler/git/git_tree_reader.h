#pragma once
// GitTreeReader: trees and blobs of a bare clone by object id, straight from the object database.
// No work tree exists, so links and submodules can reach nothing: they are listed by kind only.
// Thread rule: one thread at a time. Failure rule: as TreeReader; a damaged object is Errc::io
// with the cause "Corrupted".
#include <string>
#include <vector>

#include "reconciler/git/git_handles.h"
#include "render/tree_reader.h"

namespace steer {

class GitTreeReader final : public TreeReader {
 public:
  static Result<std::unique_ptr<GitTreeReader>> open(const std::string& cloneDir);

  Result<std::vector<TreeEntry>> list(const std::string& treeId) override;
  Result<std::string> read(const std::string& blobId, std::size_t maxBytes) override;
  /// The id of the tree at a path below a tree; "" or "." is the tree itself.
  Result<std::string> subtree(const std::string& treeId, const std::string& path);

 private:
  explicit GitTreeReader(git::Handle<git_repository> repo) : repo_(std::move(repo)) {}
  git::Handle<git_repository> repo_;
};

}  // namespace steer
