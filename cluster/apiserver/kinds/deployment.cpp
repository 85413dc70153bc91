// Deployments.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class DeploymentStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},
            {"Ready"},
            {"Up-to-date"},
            {"Available"},
            {"Age"},
            {"Containers", "string", "", 1},
            {"Images", "string", "", 1},
            {"Selector", "string", "", 1}};
  }
  json::array row(const Object& object, Time now) const override {
    const auto& status = object.status();
    const auto& pod = objectAt(object.spec(), {"template", "spec"});
    return {
        object.name(),
        std::to_string(intAt(status, {"readyReplicas"})) + "/" + std::to_string(intAt(object.spec(), {"replicas"}, 1)),
        intAt(status, {"updatedReplicas"}),
        intAt(status, {"availableReplicas"}),
        ageText(object, now),
        containerNames(pod),
        containerImages(pod),
        selectorText(object.spec().if_contains("selector"))};
  }
};

}  // namespace

void register_deployment(StrategyRegistry& registry) {
  registry.add("deployments.apps", std::make_unique<DeploymentStrategy>());
}

}  // namespace steer
