#pragma once
// Owners of libgit2's C handles and the translation of its errors. Only .cpp files of this room
// include <git2.h>. Thread rule: a handle has one user at a time.
#include <memory>
#include <string>

#include "core/result.h"

extern "C" {
struct git_repository;
struct git_remote;
struct git_commit;
struct git_tree;
struct git_blob;
struct git_object;
struct git_reference;
struct git_revwalk;
struct git_packbuilder;
struct git_odb;
struct git_signature;
struct git_iterator;
}

namespace steer::git {

struct Release {
  void operator()(git_repository* p) const;
  void operator()(git_remote* p) const;
  void operator()(git_commit* p) const;
  void operator()(git_tree* p) const;
  void operator()(git_blob* p) const;
  void operator()(git_object* p) const;
  void operator()(git_reference* p) const;
  void operator()(git_revwalk* p) const;
  void operator()(git_packbuilder* p) const;
  void operator()(git_odb* p) const;
  void operator()(git_signature* p) const;
};
template <class T>
using Handle = std::unique_ptr<T, Release>;

/// Starts libgit2 once per process: no system or user configuration, objects made durable, and no
/// ownership check (libgit2 runs no hook and no program, so a repository's configuration cannot
/// make it execute anything).
void startLibrary();

/// The last error of libgit2 on this thread as a sentence; code chosen from libgit2's code.
Error gitError(int rc, const std::string& doing);
/// An error that names its kind as the first cause, such as "EmptyRepository".
Error kindError(Errc code, std::string kind, std::string message);

/// A remote that is in no configuration. Rules that rewrite addresses are not looked for: they could lead
/// elsewhere, and libgit2 1.5 leaks 20 kB for each line of configuration that it looks at for them.
Result<Handle<git_remote>> openRemote(git_repository* repo, const std::string& url);

Result<Handle<git_repository>> openBare(const std::string& dir);

}  // namespace steer::git
