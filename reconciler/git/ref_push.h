#pragma once
// Pushing refs by compare-and-swap. Internal to this room.
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "reconciler/git/remote_access.h"

namespace steer::git {

struct RefUpdate {
  std::string local;     ///< ref in the clone that holds the new value
  std::string remote;    ///< ref at the remote
  std::string expected;  ///< commit id the remote must show now; empty = it must not exist
};

/// dir: the clone. All or an error; conflict (cause "RefMoved") when the remote moved meanwhile. Never
/// forced. A remote that does not let us write is "ReadOnly".
Result<void> pushRefs(const std::string& dir, const RemoteAccess& access, const std::vector<RefUpdate>& updates);
/// The same between processes: {"dir", "updates": [{"local", "remote", "expected"}]} → {}.
Result<json::object> pushOperation(const RemoteAccess& access, const json::object& arguments);

}  // namespace steer::git
