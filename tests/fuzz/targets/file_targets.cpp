#include <git2.h>
#include <git2/sys/mempack.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/utf8.h"
#include "nodeagent/agent/log_reader.h"
#include "reconciler/git/fetch_commit.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/git_tree_reader.h"
#include "render/tree_renderer.h"
#include "tests/fuzz/target.h"

namespace steer::fuzz {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "steer-fuzz.XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ec;
    fs::remove_all(path_, ec);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// A log of any bytes is read to its end, and no more is said than it holds.
bool containerLog(std::string_view bytes) {
  static const Folder folder;
  const auto file = folder.path() / "0.log";
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  for (const bool timestamps : {false, true}) {
    LogReadOptions options;
    options.timestamps = timestamps;
    if (!bytes.empty())
      options.tailLines = bytes[0] % 4 == 0 ? std::nullopt : std::optional<std::int64_t>(bytes[0] % 4);
    LogReader reader({file}, options, nullptr);
    std::size_t size = 0;
    for (std::size_t polls = 0;; ++polls) {
      const auto chunk = reader.poll();
      size += chunk.data.size();
      if (chunk.end) break;
      if (polls > bytes.size() + 100) return false;
    }
    if (size > bytes.size() + 1) return false;
  }
  return true;
}

/// A bare repository whose objects are kept in memory only.
struct ObjectStore {
  ObjectStore() {
    git::startLibrary();
    // Objects of any content are what is tried here: they need not lead anywhere.
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
    git_repository* raw = nullptr;
    git_repository_init(&raw, folder.path().c_str(), 1);
    repo.reset(raw);
  }
  std::string write(std::string_view content, git_object_t type) {
    git_odb* raw = nullptr;
    git_repository_odb(&raw, repo.get());
    const git::Handle<git_odb> odb(raw);
    git_oid id;
    if (git_odb_write(&id, odb.get(), content.data(), content.size(), type) != 0) return "";
    char hex[GIT_OID_HEXSZ + 1];
    git_oid_tostr(hex, sizeof hex, &id);
    return hex;
  }
  Folder folder;
  git::Handle<git_repository> repo;
};

ObjectStore& store() {
  static std::unique_ptr<ObjectStore> store;
  static int uses = 0;
  if (!store || ++uses % 500 == 0) store = std::make_unique<ObjectStore>();
  return *store;
}

/// A commit of any bytes is described as text, or refused.
bool gitCommit(std::string_view bytes) {
  const std::string id = store().write(bytes, GIT_OBJECT_COMMIT);
  if (id.empty()) return true;
  const auto commit = git::commitAt(store().repo.get(), id);
  if (!commit.ok()) return true;
  const auto seen = git::describe(commit->get());
  return !seen.ok() || (isUtf8(seen->author) && isUtf8(seen->summary) && isUtf8(seen->message));
}

/// A tree of any bytes is rendered or refused; its blobs are manifests or missing.
bool gitTree(std::string_view bytes) {
  const std::string id = store().write(bytes, GIT_OBJECT_TREE);
  if (id.empty()) return true;
  const auto reader = GitTreeReader::open(store().folder.path().string());
  if (!reader.ok()) return false;
  TreeRenderer renderer(nullptr);
  const auto rendered = renderer.render(**reader, id);
  return rendered.ok() || !rendered.error().message.empty();
}

}  // namespace

std::vector<Target> fileTargets() {
  const std::string zeros(20, '\0');
  return {
      {"container_log", containerLog, {"2026-11-21T00:00:01.5Z ", "stdout ", "stderr ", "F ", "P ", "\n", "F", " "}},
      {"git_commit",
       gitCommit,
       {"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n", "parent ", "author ", "committer ", "encoding latin1\n",
        "gpgsig ", "\n", " <a@b> 1700000000 +0100\n", "<", ">", "\xff"}},
      {"git_tree", gitTree, {"100644 ", "40000 ", "120000 ", "160000 ", "a.yaml", "..", ".git", "/", zeros, "\xff"}},
  };
}

}  // namespace steer::fuzz
