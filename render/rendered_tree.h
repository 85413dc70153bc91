#pragma once
// RenderedTree: all manifests of a directory tree as a persistent value. Trees that share
// subdirectories share their rendering, and comparing two of them costs what differs.
// Thread rule: immutable, share freely.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/diagnostics.h"
#include "render/manifest.h"

namespace steer {

struct RenderedNode;
using RenderedNodePtr = std::shared_ptr<const RenderedNode>;

/// One directory. It knows no path of its own.
struct RenderedNode {
  struct Child {
    RenderedNodePtr tree;  ///< one of the two is set
    ParsedBlobPtr blob;
  };
  std::map<std::string, Child> children;  ///< only what holds manifests or findings
  Diagnostics findings;                   ///< of the directory's entries; the file is the entry's name
  std::size_t manifests = 0;              ///< here and below
  std::size_t weight = 0;                 ///< manifests, findings and directories, here and below
  std::size_t problems = 0;               ///< findings, here and below
};

class RenderedTree {
 public:
  RenderedTree() = default;
  RenderedTree(RenderedNodePtr root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}

  /// Every manifest, in the order of paths and documents.
  void forEach(const std::function<void(const Manifest&)>& visit) const;
  /// All findings of all files, with their paths, sorted.
  Diagnostics findings() const;
  std::size_t size() const { return root_ == nullptr ? 0 : root_->manifests; }
  /// How many findings there are, without making them.
  std::size_t problems() const { return root_ == nullptr ? 0 : root_->problems; }

  struct ChangedFile {
    std::string file;
    ParsedBlobPtr before;  ///< null: the file is new
    ParsedBlobPtr after;   ///< null: the file is gone
  };
  /// The files that differ; what both trees share is not visited.
  static std::vector<ChangedFile> changes(const RenderedTree& before, const RenderedTree& after);

  const RenderedNodePtr& root() const { return root_; }
  const std::string& path() const { return path_; }

 private:
  RenderedNodePtr root_;
  std::string path_;  ///< of the root inside the source, "" or "apps/prod"
};

}  // namespace steer
