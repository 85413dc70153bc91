// Roles and what binds them.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class RoleStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Created At", "date"}}; }
  json::array row(const Object& object, Time) const override {
    return {object.name(), stringAt(object.metadata(), {"creationTimestamp"})};
  }
};

class BindingStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override {
    return {
        {"Name", "string", "name"},          {"Role"}, {"Age"}, {"Users", "string", "", 1}, {"Groups", "string", "", 1},
        {"ServiceAccounts", "string", "", 1}};
  }
  json::array row(const Object& object, Time now) const override {
    std::string users, groups, accounts;
    for (const auto& subject : arrayAt(object.json(), {"subjects"})) {
      const auto kind = stringAt(subject, {"kind"});
      const std::string name(stringAt(subject, {"name"}));
      auto& list = kind == "User" ? users : kind == "Group" ? groups : accounts;
      list += (list.empty() ? "" : ", ") +
              (kind == "ServiceAccount" ? std::string(stringAt(subject, {"namespace"})) + "/" + name : name);
    }
    const std::string role = std::string(stringAt(object.json(), {"roleRef", "kind"})) + "/" +
                             std::string(stringAt(object.json(), {"roleRef", "name"}));
    return {object.name(), role, ageText(object, now), users, groups, accounts};
  }
};

}  // namespace

void register_rights(StrategyRegistry& registry) {
  for (const char* roles : {"roles", "clusterroles"})
    registry.add(std::string(roles) + ".rbac.authorization.k8s.io", std::make_unique<RoleStrategy>());
  for (const char* bindings : {"rolebindings", "clusterrolebindings"})
    registry.add(std::string(bindings) + ".rbac.authorization.k8s.io", std::make_unique<BindingStrategy>());
}

}  // namespace steer
