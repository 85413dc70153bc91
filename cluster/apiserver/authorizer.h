#pragma once
// Who may do what: administrators (system:masters) everything, whatever the roles say; nodes what concerns them;
// everyone the health pages; and all what roles and their bindings in the snapshot give them.
// Thread rule: thread-safe; pure in the snapshot.
#include <memory>
#include <string>
#include <vector>

#include "core/snapshot.h"
#include "core/sync.h"
#include "net/http/message.h"

namespace steer {

struct AccessQuestion {
  std::string verb;        ///< get list watch create update patch delete deletecollection
  std::string resource{};  ///< resourceKey; empty for a path
  std::string subresource{};
  std::string ns{};
  std::string name{};
  std::string path{};    ///< for what is no resource: "/version"
  std::string onNode{};  ///< list and watch: only objects with this spec.nodeName are asked for; empty = all
};

/// One rule of a role: verbs on resources of API groups (perhaps only on some names), or on paths.
struct PolicyRule {
  std::vector<std::string> verbs;
  std::vector<std::string> groups;
  std::vector<std::string> resources;  ///< "pods", "pods/log", "*", "*/scale"
  std::vector<std::string> names;      ///< empty: all
  std::vector<std::string> urls;
};

struct AccessAnswer {
  bool allowed = false;
  std::string reason{};
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual AccessAnswer decide(const Identity& who, const AccessQuestion& question, const Snapshot& view) const = 0;
  /// What roles give `who` in a namespace (empty: at the cluster scope).
  virtual std::vector<PolicyRule> rulesOf(const Identity& who, const std::string& ns, const Snapshot& view) const = 0;
};

class RoleBook;

class BuiltinAuthorizer final : public Authorizer {
 public:
  AccessAnswer decide(const Identity& who, const AccessQuestion& question, const Snapshot& view) const override;
  std::vector<PolicyRule> rulesOf(const Identity& who, const std::string& ns, const Snapshot& view) const override;

 private:
  /// Read anew only when a role or a binding changed.
  std::shared_ptr<const RoleBook> bookOf(const Snapshot& view) const;

  mutable Sync<std::shared_ptr<const RoleBook>> newest_;
};

bool isMember(const Identity& who, std::string_view group);
/// 401 for those who did not say who they are, else 403 in Kubernetes' words.
Error refusal(const Identity& who, const AccessQuestion& question, const AccessAnswer& answer);

}  // namespace steer
