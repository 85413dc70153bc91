#include "reconciler/git/revert_commit.h"

#include <git2.h>

#include <optional>

#include "reconciler/git/fetch_commit.h"
#include "reconciler/git/ref_push.h"
#include "reconciler/git/transfer.h"

namespace steer {
namespace {

using git::Handle;

std::string hex(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

std::string cleanPath(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.starts_with("/")) path.erase(0, 1);
  while (path.ends_with("/")) path.pop_back();
  return path == "." ? "" : path;
}

Result<Handle<git_commit>> commitOf(git_repository* repo, const std::string& id) {
  const bool hexadecimal = id.find_first_not_of("0123456789abcdef") == std::string::npos;
  git_oid oid;
  git_commit* raw = nullptr;
  if (!hexadecimal || id.size() < 7 || id.size() > GIT_OID_HEXSZ || git_oid_fromstrn(&oid, id.data(), id.size()) != 0 ||
      git_commit_lookup_prefix(&raw, repo, &oid, id.size()) != 0)
    return git::kindError(Errc::notFound, "RevisionNotFound", "the clone has no commit \"" + id + "\"");
  return Handle<git_commit>(raw);
}

Result<Handle<git_tree>> treeOf(git_commit* commit) {
  git_tree* raw = nullptr;
  if (const int rc = git_commit_tree(&raw, commit); rc != 0)
    return git::gitError(rc, "cannot read the tree of a commit");
  return Handle<git_tree>(raw);
}

/// The directory's entry in a tree; nothing when there is none, or it is no directory.
std::optional<git_oid> directoryIn(git_tree* tree, const std::string& path) {
  if (path.empty()) return *git_tree_id(tree);
  git_tree_entry* entry = nullptr;
  if (git_tree_entry_bypath(&entry, tree, path.c_str()) != 0) return std::nullopt;
  const git_oid id = *git_tree_entry_id(entry);
  const bool directory = git_tree_entry_type(entry) == GIT_OBJECT_TREE;
  git_tree_entry_free(entry);
  return directory ? std::optional(id) : std::nullopt;
}

/// The tip's tree with the directory as the target had it.
Result<git_oid> mixedTree(git_repository* repo, git_tree* tip, git_tree* target, const std::string& path) {
  if (path.empty()) return *git_tree_id(target);
  const auto before = directoryIn(tip, path);
  const auto wanted = directoryIn(target, path);
  if (!before && !wanted) return *git_tree_id(tip);
  git_tree_update update{wanted ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE, wanted ? *wanted : git_oid{},
                         GIT_FILEMODE_TREE, path.c_str()};
  git_oid out;
  if (const int rc = git_tree_create_updated(&out, repo, tip, 1, &update); rc != 0)
    return git::gitError(rc, "cannot write the tree of the revert");
  return out;
}

struct Branch {
  std::string ref;  ///< refs/heads/…
  std::string tip;
};

Result<Branch> branchAtRemote(const std::string& dir, const RemoteAccess& access, const std::string& revision) {
  STEER_TRY(const auto answer, git::transfer(access, "branch", {{"dir", dir}, {"revision", revision}}));
  return Branch{std::string(stringAt(answer, {"ref"})), std::string(stringAt(answer, {"tip"}))};
}

std::string messageFor(const RevertRequest& request, const std::string& tip, const std::string& target) {
  const std::string what = request.path.empty() ? "Everything" : request.path;
  return "Roll back " + request.application + " to " + target.substr(0, 12) + "\n\n" + what +
         " is again as it was there. What came after stays in the history.\n\nSteersman-Rollback-Of: " + tip +
         "\nSteersman-Rollback-To: " + target +
         (request.requestedBy.empty() ? "" : "\nRequested-by: " + request.requestedBy) + "\n";
}

Result<git_oid> writeCommit(git_repository* repo, git_commit* tip, const git_oid& treeId, const std::string& message,
                            Time now) {
  git_tree* rawTree = nullptr;
  if (const int rc = git_tree_lookup(&rawTree, repo, &treeId); rc != 0)
    return git::gitError(rc, "cannot read the tree of the revert");
  const Handle<git_tree> tree(rawTree);
  git_signature* rawWho = nullptr;
  const auto when = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
  git_signature_new(&rawWho, "Steersman", "steersman@localhost", static_cast<git_time_t>(when), 0);
  const Handle<git_signature> who(rawWho);
  const git_commit* parents[] = {tip};
  git_oid made;
  if (const int rc = git_commit_create(&made, repo, nullptr, who.get(), who.get(), "UTF-8", message.c_str(), tree.get(),
                                       1, parents);
      rc != 0)
    return git::gitError(rc, "cannot write the revert");
  return made;
}

}  // namespace

namespace git {

Result<json::object> branchOperation(const RemoteAccess& access, const json::object& arguments) {
  STEER_TRY(const auto repo, openBare(std::string(stringAt(arguments, {"dir"}))));
  const std::string revision(stringAt(arguments, {"revision"}));
  STEER_TRY(const auto remote, openRemote(repo.get(), access.url().url));
  RemoteAccess::Session session(access);
  git_remote_connect_options connecting = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  session.install(connecting.callbacks);
  connecting.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  const std::string doing = "cannot read " + access.url().url;
  if (const int rc = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &connecting); rc != 0)
    return session.explain(rc, doing);
  std::string ref = revision.starts_with("refs/") ? revision : "refs/heads/" + revision;
  if (revision.empty()) {
    git_buf name = GIT_BUF_INIT;
    if (git_remote_default_branch(&name, remote.get()) == 0 && name.ptr != nullptr) ref = name.ptr;
    git_buf_dispose(&name);
  }
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (const int rc = git_remote_ls(&heads, &count, remote.get()); rc != 0) return session.explain(rc, doing);
  for (std::size_t i = 0; i < count; ++i)
    if (ref == heads[i]->name && ref.starts_with("refs/heads/"))
      return json::object{{"ref", ref}, {"tip", hex(heads[i]->oid)}};
  return kindError(Errc::forbidden, "NotABranch",
                   "what is followed (" + (revision.empty() ? "HEAD" : revision) + ") is no branch");
}

}  // namespace git

Result<RevertOutcome> pushRevert(const std::string& cloneDir, const RemoteAccess& access, const RevertRequest& request,
                                 Time now) {
  STEER_TRY(const auto repo, git::openBare(cloneDir));
  STEER_TRY(const auto tip, commitOf(repo.get(), request.tip));
  STEER_TRY(const auto target, commitOf(repo.get(), request.target));
  STEER_TRY(const auto tipTree, treeOf(tip.get()));
  STEER_TRY(const auto targetTree, treeOf(target.get()));
  RevertOutcome out;
  out.target = hex(*git_commit_id(target.get()));
  const std::string path = cleanPath(request.path);
  if (!directoryIn(targetTree.get(), path))
    return git::kindError(Errc::notFound, "RevisionNotFound",
                          "commit " + out.target.substr(0, 12) + " has no directory " + path);
  STEER_TRY(const git_oid tree, mixedTree(repo.get(), tipTree.get(), targetTree.get(), path));
  if (git_oid_equal(&tree, git_tree_id(tipTree.get())) != 0) {
    out.unchanged = true;
    return out;
  }
  STEER_TRY(const auto branch, branchAtRemote(cloneDir, access, request.branch));
  const std::string tipId = hex(*git_commit_id(tip.get()));
  if (branch.tip != tipId)
    return git::kindError(Errc::conflict, "RefMoved",
                          branch.ref + " moved to " + branch.tip.substr(0, 12) + " meanwhile");
  STEER_TRY(const git_oid made, writeCommit(repo.get(), tip.get(), tree, messageFor(request, tipId, out.target), now));
  const std::string local = "refs/steersman/local/revert/" + request.application;
  git_reference* ref = nullptr;
  if (const int rc = git_reference_create(&ref, repo.get(), local.c_str(), &made, 1, nullptr); rc != 0)
    return git::gitError(rc, "cannot note the revert");
  git_reference_free(ref);
  STEER_CHECK(git::pushRefs(cloneDir, access, {{local, branch.ref, tipId}}));
  out.commit = hex(made);
  return out;
}

Result<SourceCommit> findCommit(const std::string& cloneDir, const std::string& id) {
  STEER_TRY(const auto repo, git::openBare(cloneDir));
  STEER_TRY(const auto commit, commitOf(repo.get(), id));
  return git::describe(commit.get());
}

Result<std::string> treeAt(const std::string& cloneDir, const std::string& commit, const std::string& path) {
  STEER_TRY(const auto repo, git::openBare(cloneDir));
  STEER_TRY(const auto found, commitOf(repo.get(), commit));
  STEER_TRY(const auto tree, treeOf(found.get()));
  const auto directory = directoryIn(tree.get(), cleanPath(path));
  return directory ? hex(*directory) : std::string();
}

}  // namespace steer
