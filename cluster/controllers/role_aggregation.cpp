#include "cluster/controllers/role_aggregation.h"

#include <algorithm>

#include "core/selector.h"

namespace steer {
namespace {

constexpr const char* kRoles = "clusterroles.rbac.authorization.k8s.io";

bool aggregates(const Object& role) { return find(role.json(), {"aggregationRule"}) != nullptr; }

json::array rulesFor(const Snapshot& snapshot, const Object& role) {
  json::array out;
  for (const auto& item : arrayAt(role.json(), {"aggregationRule", "clusterRoleSelectors"})) {
    const auto selector = LabelSelector::fromObject(&item);
    if (!selector.ok()) continue;
    snapshot.each(kRoles, "", [&](const ObjectPtr& other) {
      if (other->name() == role.name() || !selector->matches(other->labels())) return;
      for (const auto& rule : arrayAt(other->json(), {"rules"}))
        if (std::find(out.begin(), out.end(), rule) == out.end()) out.push_back(rule);
    });
  }
  return out;
}

class RoleAggregationController final : public Controller {
 public:
  std::string_view name() const override { return "clusterrole-aggregation-controller"; }
  std::vector<std::string> resources() const override { return {kRoles}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view, const ObjectPtr&,
                           const ObjectPtr&) const override {
    std::vector<Key> out;
    snapshot.each(kRoles, "", [&](const ObjectPtr& role) {
      if (aggregates(*role)) out.push_back({"", role->name()});
    });
    return out;
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto role = snapshot.get(kRoles, "", key.name);
    if (!role || role->deleting() || !aggregates(*role)) return out;
    auto rules = rulesFor(snapshot, *role);
    if (rules == arrayAt(role->json(), {"rules"})) return out;
    json::object body = role->json();
    body["rules"] = std::move(rules);
    out.writes.push_back(Write::update(kRoles, std::move(body)));
    return out;
  }
};

}  // namespace

std::unique_ptr<Controller> makeRoleAggregationController() { return std::make_unique<RoleAggregationController>(); }

}  // namespace steer
