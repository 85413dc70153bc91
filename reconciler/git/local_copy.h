#pragma once
// Copying what a local repository has and the clone lacks, object by object. libgit2's transfer looks at every
// directory of the commit before, and leaves a pack for each push; this looks at what changed and leaves loose
// objects. Internal to this room. Thread rule: one user per clone.
// Failure rule: children are durable before what names them, so a clone never has an object without those that it
// names, wherever this ends.
#include <string>

struct git_oid;
struct git_repository;

namespace steer::git {

enum class Copied { done, leaveToTransfer };

/// `commit` as a hex id. leaveToTransfer: it is no commit, or too much is missing, or something cannot be read;
/// what was copied until then is harmless.
Copied copyCommit(const std::string& fromDir, git_repository* to, const std::string& commit);

/// Copies what a commit reaches, or another object alone, in one pack, and gives it that name.
bool copyReachable(git_repository* from, git_repository* to, const git_oid& id, const std::string& name);

}  // namespace steer::git
