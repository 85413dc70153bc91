#pragma once
// Fetching the one commit that a source follows into its bare clone. Internal to this room.
// Thread rule: one user per clone. Failure rule: as GitSource::fetch; the clone's last tip stays.
#include <string>

#include "core/json.h"
#include "reconciler/git/git_source.h"

struct git_commit;
struct git_repository;

namespace steer::git {

/// Where the last commit that was fetched whole is noted.
inline constexpr const char* kTip = "refs/steersman/tip";

/// Connects, picks the revision, fetches and notes the tip.
Result<FetchOutcome> fetchCommit(const RemoteAccess& access, const RevisionChoice& choice, const std::string& dir);

/// The same between processes: {"dir", "revision", "semver"} → the outcome.
Result<json::object> fetchOperation(const RemoteAccess& access, const json::object& arguments);
json::object fetchArguments(const RevisionChoice& choice, const std::string& dir);
FetchOutcome outcomeFromJson(const json::object& from);

/// The commit that a name or id leads to, tags peeled.
Result<Handle<git_commit>> commitAt(git_repository* repo, const std::string& spec);
/// What a plan needs of it; a commit whose tree is missing is a damaged clone.
Result<SourceCommit> describe(git_commit* commit);

}  // namespace steer::git
