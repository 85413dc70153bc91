#include "reconciler/git/ledger_remote.h"

#include <git2.h>

#include <vector>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/transfer.h"

namespace steer::git {
namespace {

std::string hex(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

}  // namespace

Result<json::object> lookOperation(const RemoteAccess& access, const json::object& arguments) {
  STEER_TRY(const auto repo, openBare(std::string(stringAt(arguments, {"dir"}))));
  STEER_TRY(const auto remote, openRemote(repo.get(), access.url().url));
  RemoteAccess::Session session(access);
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  session.install(options.callbacks);
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.update_fetchhead = 0;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  git_remote_connect_options connecting = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  connecting.callbacks = options.callbacks;
  connecting.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  const std::string doing = "cannot read " + access.url().url;
  if (const int rc = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &connecting); rc != 0)
    return session.explain(rc, doing);
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (const int rc = git_remote_ls(&heads, &count, remote.get()); rc != 0) return session.explain(rc, doing);
  json::object seen;
  std::vector<std::string> specs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = heads[i]->name;
    if (name != kStatus && name != kNotes) continue;
    seen[name == kStatus ? "status" : "notes"] = hex(heads[i]->oid);
    const char* mine = name == kStatus ? kSeenStatus : kSeenNotes;
    git_oid have;
    if (git_reference_name_to_id(&have, repo.get(), mine) != 0 || git_oid_cmp(&have, &heads[i]->oid) != 0)
      specs.push_back("+" + name + ":" + mine);
  }
  if (specs.empty()) return seen;
  std::vector<char*> texts;
  for (auto& s : specs) texts.push_back(s.data());
  const git_strarray array{texts.data(), texts.size()};
  if (const int rc = git_remote_fetch(remote.get(), &array, &options, nullptr); rc != 0)
    return session.explain(rc, doing);
  return seen;
}

Result<LedgerSeen> lookAtLedger(const std::string& dir, const RemoteAccess& access) {
  STEER_TRY(const auto answer, transfer(access, "look", {{"dir", dir}}));
  return LedgerSeen{std::string(stringAt(answer, {"status"})), std::string(stringAt(answer, {"notes"}))};
}

}  // namespace steer::git
