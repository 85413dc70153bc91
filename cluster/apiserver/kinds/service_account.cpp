// Service accounts.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class ServiceAccountStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Secrets"}, {"Age"}}; }
  json::array row(const Object& object, Time now) const override {
    return {object.name(), std::to_string(arrayAt(object.json(), {"secrets"}).size()), ageText(object, now)};
  }
};

}  // namespace

void register_service_account(StrategyRegistry& registry) {
  registry.add("serviceaccounts", std::make_unique<ServiceAccountStrategy>());
}

}  // namespace steer
