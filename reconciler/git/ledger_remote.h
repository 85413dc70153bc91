#pragma once
// Our two refs at the remote, as they are now. Internal to this room. Thread rule: one user per clone.
#include <string>

#include "core/json.h"
#include "core/result.h"
#include "reconciler/git/remote_access.h"

namespace steer::git {

inline constexpr const char* kStatus = "refs/heads/steersman/status";
inline constexpr const char* kNotes = "refs/notes/steersman";
inline constexpr const char* kSeenStatus = "refs/steersman/seen/status";
inline constexpr const char* kSeenNotes = "refs/steersman/seen/notes";

struct LedgerSeen {
  std::string status;  ///< commit id; empty = the remote has no such ref
  std::string notes;
};

/// What the remote has there, fetched into the clone.
Result<LedgerSeen> lookAtLedger(const std::string& dir, const RemoteAccess& access);
/// The same between processes: {"dir"} → {"status", "notes"}.
Result<json::object> lookOperation(const RemoteAccess& access, const json::object& arguments);

}  // namespace steer::git
