#pragma once
// What this server says about tokens to those who get shown one: the review of a token, and the document by which
// others find the keys (OpenID Connect Discovery 1.0). Thread rule: pure but for the parts, which are thread-safe.
#include "cluster/apiserver/server_parts.h"

namespace steer {

json::object userInfoOf(const Identity& who);
/// The status of a TokenReview. The token never comes back in it.
json::object tokenReviewStatus(const ServerParts& parts, const json::object& spec, const Snapshot& view);
json::object issuerDocument(const ApiServerOptions& options);

}  // namespace steer
