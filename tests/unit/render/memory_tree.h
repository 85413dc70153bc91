#pragma once
// A content-addressed tree in memory: paths and texts in, ids derived from contents.
#include <map>
#include <string>

#include "render/tree_reader.h"

namespace steer {

class MemoryTree : public TreeReader {
 public:
  /// A text "-> x" is a link, "submodule" under the name "module" a submodule.
  std::string add(const std::map<std::string, std::string>& files) {
    std::map<std::string, std::map<std::string, std::string>> below;
    std::vector<TreeEntry> entries;
    for (const auto& [path, text] : files) {
      const auto slash = path.find('/');
      if (slash != std::string::npos) {
        below[path.substr(0, slash)][path.substr(slash + 1)] = text;
        continue;
      }
      auto kind = TreeEntry::Kind::blob;
      if (text.starts_with("-> ")) kind = TreeEntry::Kind::link;
      if (path == "module") kind = TreeEntry::Kind::submodule;
      blobs_["blob:" + text] = text;
      entries.push_back({path, kind, "blob:" + text});
    }
    for (const auto& [name, inner] : below) entries.push_back({name, TreeEntry::Kind::tree, add(inner)});
    return addEntries(std::move(entries));
  }
  std::string addEntries(std::vector<TreeEntry> entries) {
    std::string id = "tree:";
    for (const auto& e : entries) id += std::to_string(std::hash<std::string>{}(e.name + "\n" + e.id)) + ",";
    trees_[id] = std::move(entries);
    return id;
  }

  Result<std::vector<TreeEntry>> list(const std::string& id) override {
    ++lists;
    const auto found = trees_.find(id);
    if (found == trees_.end()) return makeError(Errc::notFound, "no such tree");
    return found->second;
  }
  Result<std::string> read(const std::string& id, std::size_t maxBytes) override {
    ++reads;
    if (failReads) return makeError(Errc::io, "the disk is gone");
    const auto found = blobs_.find(id);
    if (found == blobs_.end()) return makeError(Errc::notFound, "no such blob");
    if (found->second.size() > maxBytes) return makeError(Errc::tooLarge, "too large");
    return found->second;
  }

  int lists = 0;
  int reads = 0;
  bool failReads = false;

 private:
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::vector<TreeEntry>> trees_;
};

inline std::string configMap(const std::string& name, const std::string& ns = "default",
                             const std::string& value = "1") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  namespace: " + ns + "\ndata:\n  key: \"" +
         value + "\"\n";
}

}  // namespace steer
