#pragma once
// Manifests that a command line names: directories, files, or a revision of a repository.
// Thread rule: main thread. Failure rule: what cannot be read is an error; what people wrote wrongly
// are findings of the tree.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "reconciler/plan/application_source.h"
#include "render/rendered_tree.h"

namespace steer::cli {

struct SourceRequest {
  std::vector<std::string> paths{};  ///< directories and files; used when repo is empty
  std::string repo{};                ///< address or directory of a repository
  std::string revision{};            ///< branch, tag or commit; empty = the remote's HEAD
  std::string path{};                ///< directory inside the repository
};

/// A source that is open: more of the same repository can be read. A repository is cloned into a folder
/// of its own for as long as this lives.
class SourceReader {
 public:
  static Result<std::unique_ptr<SourceReader>> open(SourceRequest request);
  virtual ~SourceReader() = default;

  /// What was asked for: parsed and validated.
  virtual Result<RenderedTree> main() = 0;
  /// A directory of the same repository; of the work tree around a plain directory, or below that.
  virtual Result<RenderedTree> at(const std::string& path) = 0;
  /// Id of the commit that is read; empty for directories.
  virtual std::string commit() const = 0;
  /// Its message; empty likewise.
  virtual std::string message() const = 0;
  virtual SourceIdentity identity() const = 0;
  /// What was asked for, in terms of the root of the repository; nothing for several paths, and outside one.
  virtual std::optional<std::string> path() const = 0;
  /// The commits among these that the repository holds.
  virtual std::vector<std::string> held(const std::vector<std::string>& commits) const = 0;
  /// A file of a tree in terms of the root of the repository.
  virtual std::string inSource(const std::string& file) const = 0;
};

/// Reads once, where nothing else of the source matters.
Result<RenderedTree> loadSource(const SourceRequest& request);

}  // namespace steer::cli
