#pragma once
// A commit on a followed branch that takes one directory back to what an earlier commit had. History is
// never rewritten: the new commit stands on the tip, and the push is a compare-and-swap.
// Thread rule: one user per clone. Failure rule: an error changes nothing at the remote; its first cause
// names the kind: RefMoved (the branch is elsewhere by now), NotABranch, ReadOnly, RevisionNotFound, …
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "reconciler/git/git_source.h"

namespace steer {

struct RevertRequest {
  std::string branch;       ///< as SourceOptions::revision; empty = the remote's HEAD
  std::string tip;          ///< commit that the branch must show
  std::string target;       ///< commit, or its first seven digits at least
  std::string path;         ///< directory; empty = all
  std::string application;  ///< for the message, and for the name of our ref
  std::string requestedBy;
};

struct RevertOutcome {
  std::string commit;      ///< the new one; empty when the branch has this content already
  std::string target;      ///< in full
  bool unchanged = false;  ///< nothing was to be done
};

Result<RevertOutcome> pushRevert(const std::string& cloneDir, const RemoteAccess& access, const RevertRequest& request,
                                 Time now);

/// A commit of the clone by its id or the first seven digits of it. Errors: RevisionNotFound.
Result<SourceCommit> findCommit(const std::string& cloneDir, const std::string& id);
/// The id of a directory in a commit of the clone; empty when the commit does not have it.
Result<std::string> treeAt(const std::string& cloneDir, const std::string& commit, const std::string& path);

namespace git {
/// A branch as the remote shows it now, between processes: {"dir", "revision"} → {"ref", "tip"}.
Result<json::object> branchOperation(const RemoteAccess& access, const json::object& arguments);
}  // namespace git

}  // namespace steer
