#pragma once
// AccountTokens: who a service account is: what a token says about it, and whether a token still holds.
// Source: Kubernetes documentation, "Managing Service Accounts", "Configure Service Accounts for Pods"; the API
// reference of TokenRequest. Thread rule: immutable, thread-safe. Failure rule: no message holds a token.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/apiserver/token_keys.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/snapshot.h"
#include "net/http/message.h"

namespace steer {

inline constexpr const char* kTokenIssuer = "https://kubernetes.default.svc.cluster.local";
inline constexpr const char* kServiceAccountUser = "system:serviceaccount:";

/// The user, groups and uid of an account.
Identity serviceAccountIdentity(const std::string& ns, const std::string& name, const std::string& uid = "");

/// A user named system:serviceaccount:NS:NAME, taken apart; `name` is empty for other users.
struct ServiceAccountName {
  std::string ns;
  std::string name;
};
ServiceAccountName serviceAccountIn(std::string_view user);

class AccountTokens {
 public:
  /// `keys` null: no tokens are given and none is accepted.
  AccountTokens(std::shared_ptr<const TokenKeys> keys, const Clock& clock, Random& random)
      : keys_(std::move(keys)), clock_(clock), random_(random) {}

  /// The TokenRequest `request` of account ns/name with its status. A node gets tokens only for the pods that run on
  /// it. Errors: notFound, invalid, forbidden, conflict (another uid), unsupported (no key).
  Result<json::object> issue(const Snapshot& view, const std::string& ns, const std::string& name,
                             const json::object& request, const Identity& who) const;

  struct Holder {
    Identity identity;
    std::vector<std::string> audiences;  ///< those of the token that were asked for
  };
  /// Who shows this token, if it is meant for one of `audiences` (empty: this server) and what it is bound to is
  /// still there. Errors: unauthorized.
  Result<Holder> check(const Snapshot& view, std::string_view token, std::vector<std::string> audiences = {}) const;

  /// Whether a bearer token looks like one of these at all.
  static bool looksLike(std::string_view token) { return token.starts_with("eyJ"); }
  const TokenKeys* keys() const { return keys_.get(); }

 private:
  std::shared_ptr<const TokenKeys> keys_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace steer
