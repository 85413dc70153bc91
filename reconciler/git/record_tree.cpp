#include "reconciler/git/record_tree.h"

#include <git2.h>

namespace steer::git {
namespace {

constexpr const char* kRecords = "records";

std::string hex(const git_oid* oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, oid);
}

Handle<git_tree> lookUp(git_repository* repo, const git_oid* id) {
  git_tree* raw = nullptr;
  if (id == nullptr || git_tree_lookup(&raw, repo, id) != 0) return nullptr;
  return Handle<git_tree>(raw);
}

const git_oid* treeIn(git_tree* tree, const char* name) {
  const auto* entry = tree == nullptr ? nullptr : git_tree_entry_byname(tree, name);
  return entry == nullptr || git_tree_entry_type(entry) != GIT_OBJECT_TREE ? nullptr : git_tree_entry_id(entry);
}

class Newest {
 public:
  Newest(git_repository* repo, std::size_t count) : repo_(repo), count_(count) {}

  void take(git_tree* tree, const std::string& at) {
    for (std::size_t i = git_tree_entrycount(tree); i-- > 0 && out.size() < count_;) {
      const auto* entry = git_tree_entry_byindex(tree, i);
      const std::string path = at + git_tree_entry_name(entry);
      if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) out.emplace_back(path, hex(git_tree_entry_id(entry)));
      else if (const auto below = lookUp(repo_, git_tree_entry_id(entry))) take(below.get(), path + "/");
    }
  }

  std::vector<std::pair<std::string, std::string>> out{};

 private:
  git_repository* repo_;
  std::size_t count_;
};

void onlyIn(git_repository* repo, git_tree* tree, git_tree* base, const std::string& at, RecordBlobs& out) {
  for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
    const auto* entry = git_tree_entry_byindex(tree, i);
    const char* name = git_tree_entry_name(entry);
    const auto* other = base == nullptr ? nullptr : git_tree_entry_byname(base, name);
    if (other != nullptr && git_oid_equal(git_tree_entry_id(other), git_tree_entry_id(entry)) == 1) continue;
    if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
      if (other == nullptr) out.emplace(at + name, hex(git_tree_entry_id(entry)));  // a path is written once only
    } else if (const auto below = lookUp(repo, git_tree_entry_id(entry))) {
      onlyIn(repo, below.get(), lookUp(repo, treeIn(base, name)).get(), at + name + "/", out);
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> newestRecords(git_repository* repo, git_tree* tree,
                                                               std::size_t count) {
  Newest newest(repo, count);
  if (const auto records = lookUp(repo, treeIn(tree, kRecords)))
    newest.take(records.get(), std::string(kRecords) + "/");
  return std::move(newest.out);
}

RecordBlobs recordsOnlyIn(git_repository* repo, git_tree* tree, git_tree* base) {
  RecordBlobs out;
  if (const auto records = lookUp(repo, treeIn(tree, kRecords)))
    onlyIn(repo, records.get(), lookUp(repo, treeIn(base, kRecords)).get(), std::string(kRecords) + "/", out);
  return out;
}

bool hasRecord(git_tree* tree, const std::string& path) {
  git_tree_entry* entry = nullptr;
  if (tree == nullptr || git_tree_entry_bypath(&entry, tree, path.c_str()) != 0) return false;
  git_tree_entry_free(entry);
  return true;
}

}  // namespace steer::git
