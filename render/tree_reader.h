#pragma once
// TreeReader: content-addressed directories, as Git keeps them. An id names a content for ever: two
// trees or two blobs with one id are equal, and that is what all caching in this room rests on.
// Thread rule: one thread at a time, unless the implementation promises more.
// Failure rule: notFound for an unknown id, tooLarge for a blob over the limit, io otherwise.
#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"

namespace steer {

struct TreeEntry {
  enum class Kind { blob, tree, link, submodule };

  std::string name;  ///< one path component
  Kind kind = Kind::blob;
  std::string id;  ///< object id of the entry's content; may be empty for a submodule
};

class TreeReader {
 public:
  virtual ~TreeReader() = default;

  /// The entries of a tree, in any order. Links and submodules are listed, never followed.
  virtual Result<std::vector<TreeEntry>> list(const std::string& treeId) = 0;

  /// The content of a blob. A blob of more than maxBytes is refused with Errc::tooLarge before its
  /// content is loaded.
  virtual Result<std::string> read(const std::string& blobId, std::size_t maxBytes) = 0;
};

}  // namespace steer
