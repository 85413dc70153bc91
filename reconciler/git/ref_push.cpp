#include "reconciler/git/ref_push.h"

#include <git2.h>

#include <algorithm>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/transfer.h"

namespace steer::git {
namespace {

Result<git_oid> valueOf(git_repository* repo, const std::string& name) {
  git_oid oid;
  if (const int rc = git_reference_name_to_id(&oid, repo, name.c_str()); rc != 0)
    return gitError(rc, "cannot read " + name);
  return oid;
}

/// Copies objects that the target lacks. An object is written after all it refers to, so an
/// object that exists there is complete.
class Copier {
 public:
  Copier(git_repository* from, git_odb* source, git_odb* target) : from_(from), source_(source), target_(target) {}

  Result<void> commits(const git_oid& tip) {
    std::vector<git_oid> order;
    git_revwalk* raw = nullptr;
    if (const int rc = git_revwalk_new(&raw, from_); rc != 0) return gitError(rc, "cannot walk");
    const Handle<git_revwalk> walk(raw);
    git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL);
    git_revwalk_push(walk.get(), &tip);
    git_oid oid;
    while (git_revwalk_next(&oid, walk.get()) == 0) {
      if (git_odb_exists(target_, &oid) == 1) {
        git_revwalk_hide(walk.get(), &oid);
        continue;
      }
      order.push_back(oid);
    }
    std::reverse(order.begin(), order.end());
    for (const auto& id : order) {
      git_commit* rawCommit = nullptr;
      if (const int rc = git_commit_lookup(&rawCommit, from_, &id); rc != 0)
        return gitError(rc, "cannot read a commit");
      const Handle<git_commit> commit(rawCommit);
      STEER_CHECK(tree(*git_commit_tree_id(commit.get())));
      STEER_CHECK(object(id));
    }
    return {};
  }

 private:
  Result<void> tree(const git_oid& id) {
    if (git_odb_exists(target_, &id) == 1) return {};
    git_tree* raw = nullptr;
    if (const int rc = git_tree_lookup(&raw, from_, &id); rc != 0) return gitError(rc, "cannot read a tree");
    const Handle<git_tree> held(raw);
    for (std::size_t i = 0; i < git_tree_entrycount(held.get()); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(held.get(), i);
      const git_oid child = *git_tree_entry_id(entry);
      STEER_CHECK(git_tree_entry_type(entry) == GIT_OBJECT_TREE ? tree(child) : object(child));
    }
    return object(id);
  }

  Result<void> object(const git_oid& id) {
    if (git_odb_exists(target_, &id) == 1) return {};
    git_odb_object* raw = nullptr;
    if (const int rc = git_odb_read(&raw, source_, &id); rc != 0) return gitError(rc, "cannot read an object");
    git_oid written;
    const int rc =
        git_odb_write(&written, target_, git_odb_object_data(raw), git_odb_object_size(raw), git_odb_object_type(raw));
    git_odb_object_free(raw);
    if (rc != 0) return kindError(Errc::forbidden, "ReadOnly", gitError(rc, "cannot write to the repository").message);
    return {};
  }

  git_repository* from_;
  git_odb* source_;
  git_odb* target_;
};

/// A local repository is written directly: that also works for one with a work tree, and the
/// comparison happens under the ref's own lock.
Result<void> pushLocal(git_repository* repo, const RemoteAccess& access, const std::vector<RefUpdate>& updates) {
  git_repository* raw = nullptr;
  if (const int rc = git_repository_open(&raw, access.url().path.c_str()); rc != 0)
    return kindError(Errc::unavailable, "RemoteGone", gitError(rc, "cannot open " + access.url().url).message);
  const Handle<git_repository> target(raw);
  git_odb* rawFrom = nullptr;
  git_odb* rawTo = nullptr;
  if (const int rc = git_repository_odb(&rawFrom, repo); rc != 0) return gitError(rc, "cannot open objects");
  const Handle<git_odb> from(rawFrom);
  if (const int rc = git_repository_odb(&rawTo, target.get()); rc != 0) return gitError(rc, "cannot open objects");
  const Handle<git_odb> to(rawTo);
  Copier copier(repo, from.get(), to.get());
  for (const auto& update : updates) {
    git_reference* head = nullptr;
    if (git_repository_is_bare(target.get()) == 0 && git_reference_lookup(&head, target.get(), "HEAD") == 0) {
      const Handle<git_reference> held(head);
      const char* on = git_reference_symbolic_target(head);
      if (on != nullptr && update.remote == on)
        return kindError(Errc::forbidden, "ReadOnly", update.remote + " is checked out in " + access.url().url);
    }
    STEER_TRY(const git_oid value, valueOf(repo, update.local));
    STEER_CHECK(copier.commits(value));
    git_oid expected{};
    if (!update.expected.empty()) git_oid_fromstr(&expected, update.expected.c_str());
    git_reference* made = nullptr;
    const int rc = update.expected.empty()
                       ? git_reference_create(&made, target.get(), update.remote.c_str(), &value, 0, "steersman")
                       : git_reference_create_matching(&made, target.get(), update.remote.c_str(), &value, 1, &expected,
                                                       "steersman");
    if (made != nullptr) git_reference_free(made);
    if (rc != 0) {
      git_oid now;
      const bool there = git_reference_name_to_id(&now, target.get(), update.remote.c_str()) == 0;
      const bool moved =
          there ? update.expected.empty() || git_oid_cmp(&now, &expected) != 0 : !update.expected.empty();
      Error e = gitError(rc, "cannot write " + update.remote);
      return moved || rc == GIT_ELOCKED ? kindError(Errc::conflict, "RefMoved", e.message)
                                        : kindError(Errc::forbidden, "ReadOnly", e.message);
    }
  }
  return {};
}

/// A server that refuses to receive at all, by whatever transport.
Error withoutAccess(Error e) {
  const std::string kind = e.causes.empty() ? "" : e.causes.front().reason;
  const auto says = [&](std::string_view text) { return e.message.find(text) != std::string::npos; };
  // A command of sshd that allows reading only just ends; libgit2 sees the end of the stream.
  if (kind == "AccessDenied" || says("early EOF") || says("access denied") || says("read-only") ||
      says("not permitted") || says("unexpected http status code: 404"))
    return kindError(Errc::forbidden, "ReadOnly", e.message);
  return e;
}

Result<void> pushOverNetwork(git_repository* repo, const RemoteAccess& access, const std::vector<RefUpdate>& updates) {
  STEER_TRY(const auto remote, openRemote(repo, access.url().url));
  RemoteAccess::Session session(access);
  git_push_options options = GIT_PUSH_OPTIONS_INIT;
  session.install(options.callbacks);
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  // One reason for all refs is kept: thread_local, because the payload belongs to the session.
  static thread_local std::string refused;
  refused.clear();
  options.callbacks.push_update_reference = [](const char* name, const char* status, void*) {
    if (status != nullptr) refused = std::string(name) + ": " + status;
    return 0;
  };
  std::vector<std::string> texts;
  for (const auto& u : updates) texts.push_back(u.local + ":" + u.remote);
  std::vector<char*> specs;
  for (auto& t : texts) specs.push_back(t.data());
  const git_strarray array{specs.data(), specs.size()};
  const int rc = git_remote_push(remote.get(), &array, &options);
  if (rc != 0) return withoutAccess(session.explain(rc, "cannot push to " + access.url().url));
  if (refused.empty()) return {};
  const bool moved = refused.find("fast") != std::string::npos || refused.find("lock") != std::string::npos ||
                     refused.find("fetch first") != std::string::npos;
  return moved ? kindError(Errc::conflict, "RefMoved", refused) : kindError(Errc::forbidden, "ReadOnly", refused);
}

}  // namespace

Result<void> pushRefs(const std::string& dir, const RemoteAccess& access, const std::vector<RefUpdate>& updates) {
  if (updates.empty()) return {};
  json::array list;
  for (const auto& u : updates)
    list.push_back(json::object{{"local", u.local}, {"remote", u.remote}, {"expected", u.expected}});
  const auto done = transfer(access, "push", {{"dir", dir}, {"updates", std::move(list)}});
  if (!done.ok()) return done.error();
  return {};
}

Result<json::object> pushOperation(const RemoteAccess& access, const json::object& arguments) {
  STEER_TRY(const auto repo, openBare(std::string(stringAt(arguments, {"dir"}))));
  std::vector<RefUpdate> updates;
  for (const auto& u : arrayAt(arguments, {"updates"}))
    updates.push_back({std::string(stringAt(u, {"local"})), std::string(stringAt(u, {"remote"})),
                       std::string(stringAt(u, {"expected"}))});
  const bool local = access.url().kind == RemoteUrl::Kind::local;
  const auto done = local ? pushLocal(repo.get(), access, updates) : pushOverNetwork(repo.get(), access, updates);
  if (!done.ok()) return done.error();
  return json::object{};
}

}  // namespace steer::git
