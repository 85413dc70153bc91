#include "reconciler/git/git_handles.h"

#include <git2.h>

#include <mutex>

#include "core/utf8.h"

namespace steer::git {

void Release::operator()(git_repository* p) const { git_repository_free(p); }
void Release::operator()(git_remote* p) const { git_remote_free(p); }
void Release::operator()(git_commit* p) const { git_commit_free(p); }
void Release::operator()(git_tree* p) const { git_tree_free(p); }
void Release::operator()(git_blob* p) const { git_blob_free(p); }
void Release::operator()(git_object* p) const { git_object_free(p); }
void Release::operator()(git_reference* p) const { git_reference_free(p); }
void Release::operator()(git_revwalk* p) const { git_revwalk_free(p); }
void Release::operator()(git_packbuilder* p) const { git_packbuilder_free(p); }
void Release::operator()(git_odb* p) const { git_odb_free(p); }
void Release::operator()(git_signature* p) const { git_signature_free(p); }

void startLibrary() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    for (const int level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
  });
}

Error kindError(Errc code, std::string kind, std::string message) {
  Error e = makeError(code, toUtf8(message));  // libraries and remote ends say any bytes
  e.causes.push_back({std::move(kind), "", ""});
  return e;
}

Error gitError(int rc, const std::string& doing) {
  const git_error* last = git_error_last();
  const int klass = last == nullptr ? 0 : last->klass;
  std::string message = doing + ": " + (last != nullptr && last->message != nullptr ? last->message : "unknown error");
  if (rc == GIT_EAUTH) return kindError(Errc::unauthorized, "AuthenticationFailed", message);
  if (rc == GIT_ECERTIFICATE) return kindError(Errc::forbidden, "HostKeyRefused", message);
  if (rc == GIT_ENONFASTFORWARD || rc == GIT_EMODIFIED || rc == GIT_ELOCKED || rc == GIT_EEXISTS)
    return kindError(Errc::conflict, "RefMoved", message);
  if (rc == GIT_EUSER) return kindError(Errc::timeout, "Timeout", message);
  if (klass == GIT_ERROR_NET || klass == GIT_ERROR_SSH || klass == GIT_ERROR_SSL || klass == GIT_ERROR_HTTP)
    return kindError(Errc::unavailable, "RemoteGone", message);
  if (klass == GIT_ERROR_ODB || klass == GIT_ERROR_ZLIB || klass == GIT_ERROR_OBJECT || klass == GIT_ERROR_INDEXER)
    return kindError(Errc::io, "Corrupted", message);
  if (rc == GIT_ENOTFOUND) return kindError(Errc::notFound, "NotFound", message);
  return makeError(Errc::io, toUtf8(message));
}

Result<Handle<git_remote>> openRemote(git_repository* repo, const std::string& url) {
  git_remote_create_options options = GIT_REMOTE_CREATE_OPTIONS_INIT;
  options.repository = repo;
  options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF | GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
  git_remote* raw = nullptr;
  if (const int rc = git_remote_create_with_opts(&raw, url.c_str(), &options); rc != 0)
    return gitError(rc, "cannot use " + url);
  return Handle<git_remote>(raw);
}

Result<Handle<git_repository>> openBare(const std::string& dir) {
  startLibrary();
  git_repository* raw = nullptr;
  if (const int rc = git_repository_open_bare(&raw, dir.c_str()); rc != 0) return gitError(rc, "cannot open " + dir);
  return Handle<git_repository>(raw);
}

}  // namespace steer::git
