#pragma once
// Fetching the commits that sources follow into the bare clone that they share. Internal to this room.
// Thread rule: one writer per clone. Failure rule: as GitSource::fetch; the clone's last tips stay.
#include <string>
#include <vector>

#include "core/json.h"
#include "reconciler/git/git_source.h"

struct git_commit;
struct git_repository;

namespace steer::git {

/// The ref that notes the last commit that was fetched whole for this choice.
std::string tipOf(const RevisionChoice& choice);

/// One conversation for all choices: connects, picks the revisions, fetches and notes the tips.
Result<std::vector<Result<FetchOutcome>>> fetchCommits(const RemoteAccess& access,
                                                       const std::vector<RevisionChoice>& choices,
                                                       const std::string& dir);

/// The same between processes: {"dir", "choices": [{"revision", "semver"}]} → {"outcomes": […]}.
Result<json::object> fetchOperation(const RemoteAccess& access, const json::object& arguments);
json::object fetchArguments(const std::vector<RevisionChoice>& choices, const std::string& dir);
/// One outcome or error for each choice.
std::vector<Result<FetchOutcome>> outcomesFromJson(const json::object& from);

/// The commit that a name or id leads to, tags peeled.
Result<Handle<git_commit>> commitAt(git_repository* repo, const std::string& spec);
/// What a plan needs of it; a commit whose tree is missing is a damaged clone.
Result<SourceCommit> describe(git_commit* commit);

}  // namespace steer::git
