#pragma once
// How containers reach the API server: the volume with their service account's token, the cluster's CA and their
// namespace. Admission writes it into every pod that does not decline; pods that were stored before it did get the same
// here. Pure.
// Source: Kubernetes documentation, "Configure Service Accounts for Pods", "Managing Service Accounts".
#include <string>
#include <vector>

#include "core/object.h"
#include "schemas/pod_admission.h"

namespace steer {

/// The pod with that volume, mounted in every container that has nothing of its own there. The same pod when
/// it declines (automountServiceAccountToken: false) or brings such a volume itself.
ObjectPtr withApiAccess(const ObjectPtr& pod);

std::string serviceAccountOf(const Object& pod);

/// One token that a pod's volumes show.
struct TokenWish {
  std::string audience;  ///< empty = the API server's
  std::int64_t seconds = 3600;
  bool optional = false;  ///< the volume is made without it where the server gives none
  auto operator<=>(const TokenWish&) const = default;
};
TokenWish tokenWishOf(const json::value& serviceAccountToken);
std::vector<TokenWish> tokenWishesOf(const Object& pod);

}  // namespace steer
