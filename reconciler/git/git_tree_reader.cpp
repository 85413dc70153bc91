#include "reconciler/git/git_tree_reader.h"

#include <git2.h>

#include <sstream>

#include "core/utf8.h"

namespace steer {
namespace {

Result<git_oid> oidOf(const std::string& text) {
  git_oid oid;
  if (text.size() != GIT_OID_HEXSZ || git_oid_fromstr(&oid, text.c_str()) != 0)
    return makeError(Errc::notFound, "\"" + text + "\" is not an object id");
  return oid;
}

TreeEntry::Kind kindOf(git_filemode_t mode) {
  switch (mode) {
    case GIT_FILEMODE_TREE:
      return TreeEntry::Kind::tree;
    case GIT_FILEMODE_LINK:
      return TreeEntry::Kind::link;
    case GIT_FILEMODE_COMMIT:
      return TreeEntry::Kind::submodule;
    default:
      return TreeEntry::Kind::blob;
  }
}

}  // namespace

Result<std::unique_ptr<GitTreeReader>> GitTreeReader::open(const std::string& cloneDir) {
  STEER_TRY(auto repo, git::openBare(cloneDir));
  return std::unique_ptr<GitTreeReader>(new GitTreeReader(std::move(repo)));
}

Result<std::vector<TreeEntry>> GitTreeReader::list(const std::string& treeId) {
  STEER_TRY(const git_oid oid, oidOf(treeId));
  git_tree* raw = nullptr;
  if (const int rc = git_tree_lookup(&raw, repo_.get(), &oid); rc != 0)
    return git::gitError(rc, "cannot read tree " + treeId);
  const git::Handle<git_tree> tree(raw);
  std::vector<TreeEntry> out;
  const std::size_t count = git_tree_entrycount(tree.get());
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
    char id[GIT_OID_HEXSZ + 1];
    git_oid_tostr(id, sizeof id, git_tree_entry_id(entry));
    out.push_back({toUtf8(git_tree_entry_name(entry)), kindOf(git_tree_entry_filemode(entry)), id});
  }
  return out;
}

Result<std::string> GitTreeReader::read(const std::string& blobId, std::size_t maxBytes) {
  STEER_TRY(const git_oid oid, oidOf(blobId));
  git_odb* rawOdb = nullptr;
  if (const int rc = git_repository_odb(&rawOdb, repo_.get()); rc != 0) return git::gitError(rc, "cannot open objects");
  const git::Handle<git_odb> odb(rawOdb);
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (const int rc = git_odb_read_header(&size, &type, odb.get(), &oid); rc != 0)
    return git::gitError(rc, "cannot read blob " + blobId);
  if (type != GIT_OBJECT_BLOB) return makeError(Errc::notFound, blobId + " is not a file");
  if (size > maxBytes)
    return makeError(Errc::tooLarge, "the file has " + std::to_string(size) + " bytes, at most " +
                                         std::to_string(maxBytes) + " are read");
  git_blob* raw = nullptr;
  if (const int rc = git_blob_lookup(&raw, repo_.get(), &oid); rc != 0)
    return git::gitError(rc, "cannot read blob " + blobId);
  const git::Handle<git_blob> blob(raw);
  return std::string(static_cast<const char*>(git_blob_rawcontent(blob.get())),
                     static_cast<std::size_t>(git_blob_rawsize(blob.get())));
}

Result<std::string> GitTreeReader::subtree(const std::string& treeId, const std::string& path) {
  std::string current = treeId;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '/');) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return makeError(Errc::badRequest, "the path \"" + path + "\" leaves the repository");
    STEER_TRY(const auto entries, list(current));
    std::string next;
    for (const auto& entry : entries)
      if (entry.name == part && entry.kind == TreeEntry::Kind::tree) next = entry.id;
    if (next.empty())
      return git::kindError(Errc::notFound, "PathNotFound", "the repository has no directory \"" + path + "\"");
    current = next;
  }
  return current;
}

}  // namespace steer
