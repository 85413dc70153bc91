#pragma once
// A repository on this machine, read by Git's own program: what libgit2 cannot read or fetch from (shallow and partial
// clones, SHA-256 object names, a directory inside a work tree). Nothing is written, but that Git itself fetches what a
// partial clone lacks. Thread rule: one thread at a time.
// Failure rule: notFound when there is no such repository or revision, io otherwise, with what Git said.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reconciler/git/git_source.h"
#include "render/tree_reader.h"

namespace steer {

class GitProgram final : public TreeReader {
 public:
  /// `directory`: a repository, or anywhere in its work tree. `revision` as git reads it, or a branch of a remote;
  /// empty = HEAD.
  static Result<std::unique_ptr<GitProgram>> open(const std::string& directory, const std::string& revision);

  const SourceCommit& commit() const { return commit_; }
  Result<std::vector<TreeEntry>> list(const std::string& treeId) override;
  Result<std::string> read(const std::string& blobId, std::size_t maxBytes) override;

 private:
  explicit GitProgram(std::string directory) : directory_(std::move(directory)) {}
  Result<std::string> git(std::vector<std::string> arguments, std::string_view input = "") const;
  Result<void> readTrees();
  Result<void> readBlobs(std::size_t maxBytes);

  std::string directory_;
  SourceCommit commit_;
  std::map<std::string, std::vector<TreeEntry>> trees_;  ///< by id
  std::map<std::string, std::size_t> sizes_;             ///< of the blobs that may be manifests
  std::map<std::string, std::string> blobs_;
  bool blobsRead_ = false;
};

}  // namespace steer
