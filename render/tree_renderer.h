#pragma once
// TreeRenderer: a tree of files → RenderedTree. A blob is parsed once by its object id and a tree
// rendered once, for as long as the last rendering or a caller's RenderedTree holds it; changing one
// file of a large repository costs that file and the directories above it.
// Reads .yaml, .yml and .json; leaves out dot-directories and what `.steerignore` files name. Links
// and submodules are findings and never followed.
// Thread rule: one thread at a time. Failure rule: when the source cannot be read the whole
// rendering fails, so that nothing is ever pruned because of a missing file; what people wrote
// wrongly are findings of the result.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "render/rendered_tree.h"
#include "render/steerignore.h"
#include "render/tree_reader.h"

namespace steer {

class TreeRenderer {
 public:
  /// With a registry, manifests are validated as they are parsed.
  explicit TreeRenderer(const SchemaRegistry* registry) : registry_(registry) {}

  /// `path` is a directory below the tree, "" for all of it. notFound when it does not exist.
  Result<RenderedTree> render(TreeReader& reader, const std::string& treeId, const std::string& path = "");

  struct Counters {
    std::size_t blobsParsed = 0;
    std::size_t treesListed = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  Result<RenderedNodePtr> renderNode(TreeReader& reader, const std::string& treeId, const std::string& path,
                                     const IgnoreRules& above, std::size_t depth);
  Result<void> renderEntry(TreeReader& reader, const TreeEntry& entry, const std::string& file,
                           const IgnoreRules& rules, std::size_t depth, RenderedNode& out);
  Result<ParsedBlobPtr> blob(TreeReader& reader, const std::string& id);
  Result<IgnoreRules> rulesOf(TreeReader& reader, const std::vector<TreeEntry>& entries, const std::string& path,
                              const IgnoreRules& above);
  void forgetUnused();

  const SchemaRegistry* registry_;
  std::unordered_map<std::string, std::weak_ptr<const ParsedBlob>> blobs_;
  std::unordered_map<std::string, std::weak_ptr<const RenderedNode>> trees_;
  std::size_t forgetAt_ = 0;  ///< how many of both there may be before the unused ones are looked for
  RenderedNodePtr last_;
  /// What the rendering in progress has made, also when it comes to nothing: without it, trees that
  /// repeat an empty tree many times over would be walked again and again.
  std::vector<std::shared_ptr<const void>> held_;
  Counters counters_;
};

}  // namespace steer
