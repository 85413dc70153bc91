#pragma once
// RoleBook: roles and what binds them, read once into a form in which "may this user do that" is a walk over the few
// rules that the user holds. Source: Kubernetes documentation, "Using RBAC Authorization".
// Thread rule: immutable. Failure rule: a binding to a role that is not there grants nothing.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/apiserver/authorizer.h"
#include "core/snapshot.h"

namespace steer {

class RoleBook {
 public:
  explicit RoleBook(const Snapshot& view);

  /// The roles and bindings are those that this book was made from.
  bool describes(const Snapshot& view) const;
  /// What `who` holds in namespace `ns` (empty: at the cluster scope only), until `visit` says false.
  void eachRule(const Identity& who, std::string_view ns,
                const std::function<bool(const PolicyRule& rule, const std::string& source)>& visit) const;
  /// Why `who` may; empty when nothing grants it.
  std::string grantOf(const Identity& who, const AccessQuestion& question) const;
  /// Null when there is no such role. `ns` empty: a ClusterRole.
  const std::vector<PolicyRule>* rulesOfRole(const std::string& ns, const std::string& name) const;

 private:
  using Rules = std::shared_ptr<const std::vector<PolicyRule>>;
  struct Grant {
    std::string ns;  ///< empty: everywhere
    Rules rules;
    std::string source;  ///< for people
  };
  void readRoles(const Snapshot& view);
  void readBindings(const Snapshot& view, const std::string& resource);

  Snapshot kept_;                       ///< the roles and bindings alone
  std::map<std::string, Rules> roles_;  ///< "ns/name"; cluster roles "/name"
  std::map<std::string, std::vector<Grant>> byUser_;
  std::map<std::string, std::vector<Grant>> byGroup_;
};

/// Whether one rule allows what is asked.
bool allows(const PolicyRule& rule, const AccessQuestion& question);
PolicyRule policyRuleOf(const json::value& rule);
json::object jsonOf(const PolicyRule& rule);

}  // namespace steer
