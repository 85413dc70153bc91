#pragma once
// What people (by `steer approve`, `steer rollback` and `steer reconcile`) and the loop itself ask of an application in
// its annotations, as JSON texts. What cannot be read counts as not asked. Pure.
#include <optional>
#include <string>

#include "core/object.h"

namespace steer {

inline constexpr const char* kApprovalAnnotation = "steersman.dev/approve-delete";
inline constexpr const char* kRollbackAnnotation = "steersman.dev/rollback";
/// Any text: another one than before asks for a look at the source and the objects at once.
inline constexpr const char* kReconcileAnnotation = "steersman.dev/reconcile-requested";
inline constexpr const char* kPinAnnotation = "steersman.dev/pinned";

/// Somebody says yes to the deletions of one commit's plan.
struct DeleteApproval {
  std::string commit;     ///< in full
  std::string digest;     ///< of the plan
  std::string deletions;  ///< digest of what is deleted
  std::string by;
  std::string at;  ///< RFC 3339
};

struct RollbackRequest {
  std::string id;  ///< tells one request from the next
  std::string to;  ///< commit; empty = the last healthy one
  std::string by;
};

/// `commit` is applied although the branch shows `insteadOf`, until Git asks for something else.
struct CommitPin {
  std::string commit;
  std::string insteadOf;
  std::string why;

  bool operator==(const CommitPin&) const = default;
};

struct ApplicationRequests {
  std::optional<DeleteApproval> approval{};
  std::optional<RollbackRequest> rollback{};
  std::optional<CommitPin> pin{};
  std::string reconcile{};  ///< empty = not asked for
};

ApplicationRequests readRequests(const Object& application);
std::string textOf(const DeleteApproval& approval);
std::string textOf(const RollbackRequest& request);
std::string textOf(const CommitPin& pin);

}  // namespace steer
