// Config maps.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class ConfigMapStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Data"}, {"Age"}}; }
  json::array row(const Object& object, Time now) const override {
    const auto count = objectAt(object.json(), {"data"}).size() + objectAt(object.json(), {"binaryData"}).size();
    return {object.name(), std::to_string(count), ageText(object, now)};
  }
};

}  // namespace

void register_config_map(StrategyRegistry& registry) {
  registry.add("configmaps", std::make_unique<ConfigMapStrategy>());
}

}  // namespace steer
