#pragma once
// SSH for libgit2 by OpenSSH's own program: what keys, signatures and host keys it knows, we know. It gets its options
// from us alone (no configuration file, no agent, no forwarding, no shell of ours) and dies with this process.
// Internal to this room. Thread rule: useOpenSsh before the first conversation; a conversation has one thread.
// Failure rule: what ssh complains of becomes an error with its kind: HostKeyRefused, AuthenticationFailed, RemoteGone.
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reconciler/git/remote_access.h"

namespace steer::git {

/// From now on addresses of kind ssh are reached by the program. It works for conversations whose callbacks a
/// RemoteAccess::Session has filled.
Result<void> useOpenSsh();

/// How the program is called. command: "git-upload-pack" or "git-receive-pack". Errors: InvalidAddress for a host, user
/// or path that could be read as an option or as more than a path; AuthenticationFailed without a key.
Result<std::vector<std::string>> sshCommand(const RemoteAccess& access, const std::string& command);

/// What the program's complaints mean. Pure.
Error sshError(const RemoteAccess& access, std::string_view complaints);

}  // namespace steer::git
