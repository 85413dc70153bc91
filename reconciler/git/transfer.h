#pragma once
// Conversations with a remote over a network happen in a process of their own: libgit2 1.5 cannot end
// a read from a silent server, keeps one set of trusted authorities per process, and parses what
// strangers send. The child is this very program, re-executed with a hidden argument; it gets its
// request on stdin and answers on stdout. It ends when nothing moves for the timeout, when it takes too
// long altogether, when it is interrupted, and when its parent dies.
// Local repositories are read in this process. Thread rule: useTransferProgram before threads start;
// one conversation per clone at a time. Failure rule: errors name their kind as first cause, as in
// git_source.h; a child that crashed is "TransferFailed".
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "reconciler/git/remote_access.h"

namespace steer {

/// How the child is started. Without it remotes over a network cannot be used.
void useTransferProgram(std::vector<std::string> argv);
/// What the child does: one request from stdin, its answer to stdout. The exit code.
int serveTransfer();
/// ssh asks for the passphrase of a key by running this very program: then it answers on stdout, and the exit code is
/// returned. Nothing when nobody asks.
std::optional<int> answerPassphrase();

namespace git {

/// operation: "fetch", "look", "push", "branch"; arguments hold "dir", the clone, and what the operation needs.
Result<json::object> transfer(const RemoteAccess& access, std::string_view operation, json::object arguments);
/// Does it here and now; what the child and local repositories use.
Result<json::object> operate(const RemoteAccess& access, std::string_view operation, const json::object& arguments);

/// Removes what a killed conversation may leave in a clone: locks of refs, and unfinished packs.
void dropLeftovers(const std::string& dir);

json::object toJson(const Error& error);
Error errorFromJson(const json::value& value);

}  // namespace git
}  // namespace steer
