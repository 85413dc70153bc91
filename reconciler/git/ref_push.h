#pragma once
// Pushing refs by compare-and-swap. Internal to this room.
#include <string>
#include <vector>

#include "core/result.h"
#include "reconciler/git/remote_access.h"

struct git_repository;

namespace steer::git {

struct RefUpdate {
  std::string local;     ///< ref in the clone that holds the new value
  std::string remote;    ///< ref at the remote
  std::string expected;  ///< commit id the remote must show now; empty = it must not exist
};

/// All or an error; conflict (cause "RefMoved") when the remote moved meanwhile. Never forced.
Result<void> pushRefs(git_repository* repo, const RemoteAccess& access, const std::vector<RefUpdate>& updates);

}  // namespace steer::git
