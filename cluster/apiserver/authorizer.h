#pragma once
// Who may do what. A small, fixed policy behind the interface that role-based access will fill:
// administrators everything, nodes what concerns them, everyone the health pages.
// Thread rule: thread-safe; pure in the snapshot.
#include <string>

#include "cluster/apiserver/message.h"
#include "core/snapshot.h"

namespace steer {

struct AccessQuestion {
  std::string verb;        ///< get list watch create update patch delete deletecollection
  std::string resource{};  ///< resourceKey; empty for a path
  std::string subresource{};
  std::string ns{};
  std::string name{};
  std::string path{};  ///< for what is no resource: "/version"
};

struct AccessAnswer {
  bool allowed = false;
  std::string reason{};
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual AccessAnswer decide(const Identity& who, const AccessQuestion& question, const Snapshot& view) const = 0;
};

class BuiltinAuthorizer final : public Authorizer {
 public:
  AccessAnswer decide(const Identity& who, const AccessQuestion& question, const Snapshot& view) const override;
};

bool isMember(const Identity& who, std::string_view group);
/// 401 for those who did not say who they are, else 403 in Kubernetes' words.
Error refusal(const Identity& who, const AccessQuestion& question, const AccessAnswer& answer);

}  // namespace steer
