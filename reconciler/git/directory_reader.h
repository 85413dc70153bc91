#pragma once
// DirectoryReader: a plain directory read like a Git tree, for `steer plan DIR`. The names and states
// of all files are taken when it is opened; an id is made of a file's identity, size and times, and a
// directory's of what lies in it. Symbolic links are listed as links and nothing is ever read through
// one. Dot-directories are not entered.
// Thread rule: one thread at a time. Failure rule: as TreeReader; what vanished since is notFound.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "render/tree_reader.h"

namespace steer {

class DirectoryReader final : public TreeReader {
 public:
  /// The directory itself may be reached through links; what lies in it may not.
  static Result<std::unique_ptr<DirectoryReader>> open(const std::string& directory);
  ~DirectoryReader() override;
  DirectoryReader(const DirectoryReader&) = delete;
  DirectoryReader& operator=(const DirectoryReader&) = delete;

  const std::string& rootId() const { return rootId_; }
  Result<std::vector<TreeEntry>> list(const std::string& treeId) override;
  Result<std::string> read(const std::string& blobId, std::size_t maxBytes) override;

 private:
  explicit DirectoryReader(int fd) : fd_(fd) {}
  Result<std::string> scan(int fd, const std::string& path, std::size_t depth);
  Result<TreeEntry> scanEntry(int fd, const std::string& path, const std::string& name, std::size_t depth);

  int fd_;
  std::string rootId_;
  std::map<std::string, std::vector<TreeEntry>> trees_;
  std::map<std::string, std::string> paths_;  ///< blob id → path below the directory
};

}  // namespace steer
