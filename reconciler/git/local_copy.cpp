#include "reconciler/git/local_copy.h"

#include <git2.h>

#include "reconciler/git/git_handles.h"

namespace steer::git {
namespace {

/// More than this, and a pack is the better way.
constexpr int kMostObjects = 200;
constexpr std::size_t kMostBytes = 8 * 1024 * 1024;

class Copy {
 public:
  Copy(git_repository* from, git_odb* source, git_odb* target) : from_(from), source_(source), target_(target) {}

  // Each step takes from a small budget, so that the recursions are bounded.
  bool commit(const git_oid* id) {
    if (git_odb_exists_ext(target_, id, GIT_ODB_LOOKUP_NO_REFRESH) == 1) return true;
    if (!spend()) return false;
    git_commit* raw = nullptr;
    if (git_commit_lookup(&raw, from_, id) != 0) return false;
    const Handle<git_commit> held(raw);
    for (unsigned i = 0; i < git_commit_parentcount(raw); ++i)
      if (!commit(git_commit_parent_id(raw, i))) return false;
    return tree(git_commit_tree_id(raw)) && object(id);
  }

 private:
  bool tree(const git_oid* id) {
    if (git_odb_exists_ext(target_, id, GIT_ODB_LOOKUP_NO_REFRESH) == 1) return true;
    if (!spend()) return false;
    git_tree* raw = nullptr;
    if (git_tree_lookup(&raw, from_, id) != 0) return false;
    const Handle<git_tree> held(raw);
    for (std::size_t i = 0; i < git_tree_entrycount(raw); ++i) {
      const auto* entry = git_tree_entry_byindex(raw, i);
      const auto type = git_tree_entry_type(entry);
      if (type == GIT_OBJECT_TREE && !tree(git_tree_entry_id(entry))) return false;
      if (type == GIT_OBJECT_BLOB && !blob(git_tree_entry_id(entry))) return false;
    }
    return object(id);
  }

  bool blob(const git_oid* id) {
    return git_odb_exists_ext(target_, id, GIT_ODB_LOOKUP_NO_REFRESH) == 1 || (spend() && object(id));
  }

  bool object(const git_oid* id) {
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    if (git_odb_read_header(&size, &type, source_, id) != 0 || (bytes_ += size) > kMostBytes) return false;
    git_odb_object* raw = nullptr;
    if (git_odb_read(&raw, source_, id) != 0) return false;
    git_oid written;
    const int rc = git_odb_write(&written, target_, git_odb_object_data(raw), git_odb_object_size(raw), type);
    git_odb_object_free(raw);
    return rc == 0 && git_oid_equal(&written, id) == 1;
  }

  bool spend() { return ++objects_ <= kMostObjects; }

  git_repository* from_;
  git_odb* source_;
  git_odb* target_;
  int objects_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

Copied copyCommit(const std::string& fromDir, git_repository* to, const std::string& commit) {
  git_repository* rawFrom = nullptr;
  if (git_repository_open(&rawFrom, fromDir.c_str()) != 0) return Copied::leaveToTransfer;
  const Handle<git_repository> from(rawFrom);
  git_odb* raw = nullptr;
  if (git_repository_odb(&raw, from.get()) != 0) return Copied::leaveToTransfer;
  const Handle<git_odb> source(raw);
  raw = nullptr;
  if (git_repository_odb(&raw, to) != 0) return Copied::leaveToTransfer;
  const Handle<git_odb> target(raw);
  git_oid id;
  if (git_oid_fromstr(&id, commit.c_str()) != 0) return Copied::leaveToTransfer;
  return Copy(from.get(), source.get(), target.get()).commit(&id) ? Copied::done : Copied::leaveToTransfer;
}

bool copyReachable(git_repository* from, git_repository* to, const git_oid& id, const std::string& name) {
  git_packbuilder* rawPack = nullptr;
  if (git_packbuilder_new(&rawPack, from) != 0) return false;
  const Handle<git_packbuilder> pack(rawPack);
  git_revwalk* rawWalk = nullptr;
  if (git_revwalk_new(&rawWalk, from) != 0) return false;
  const Handle<git_revwalk> walk(rawWalk);
  const bool history = git_revwalk_push(walk.get(), &id) == 0;
  const int rc =
      history ? git_packbuilder_insert_walk(pack.get(), walk.get()) : git_packbuilder_insert(pack.get(), &id, nullptr);
  const std::string packs = std::string(git_repository_path(to)) + "objects/pack";
  if (rc != 0 || git_packbuilder_write(pack.get(), packs.c_str(), 0, nullptr, nullptr) != 0) return false;
  git_reference* made = nullptr;
  if (git_reference_create(&made, to, name.c_str(), &id, 1, nullptr) != 0) return false;
  git_reference_free(made);
  return true;
}

}  // namespace steer::git
