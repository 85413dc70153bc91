#pragma once
// What server-side apply remembers of the time before it: an object that nobody has applied, and what kubectl's
// client-side apply left in an annotation. Source: Kubernetes documentation, "Server-Side Apply", migration from
// client-side apply. Pure.
#include "schemas/merge.h"

namespace steer {

inline constexpr const char* kBeforeFirstApply = "before-first-apply";

/// applyServerSide(), and besides:
/// - Of an object without owners everything that it says belongs to `before-first-apply` first, so that the first apply
///   conflicts with what it changes and does not take away what it never said. The reconciler takes such an object
///   over.
/// - What kubectl applied in its own way, and still is as it was, is no conflict for `kubectl` itself; its annotation
/// is
///   kept up to date, so that either way can be gone on with.
Result<json::object> applyFirstOrAgain(const KindSchema& kind, const json::object* live, const json::object& applied,
                                       const ApplyRequest& request);

}  // namespace steer
