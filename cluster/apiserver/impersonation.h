#pragma once
// Acting as somebody else: the headers Impersonate-User, -Group, -Uid and -Extra-KEY of a request, and whether its
// sender may. Source: Kubernetes documentation, "Authenticating", "User impersonation".
// Thread rule: pure but for the parts, which are thread-safe.
#include "cluster/apiserver/server_parts.h"

namespace steer {

/// `wish`, completed, if `sender` may act so. Errors: forbidden.
Result<Identity> actAs(const Authorizer& authorizer, const Snapshot& view, const Identity& sender, Identity wish);

/// Who this request is to be judged as: its sender, or whom its sender may and wants to act as.
/// Errors: forbidden, badRequest (groups without a user).
Result<Identity> actingIdentity(const ServerParts& parts, const Request& request);

}  // namespace steer
