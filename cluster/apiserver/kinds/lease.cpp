// Leases.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class LeaseStrategy final : public KindStrategy {
 public:
  bool updateNeedsRevision() const override { return true; }
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Holder"}, {"Age"}}; }
  json::array row(const Object& object, Time now) const override {
    return {object.name(), stringAt(object.spec(), {"holderIdentity"}), ageText(object, now)};
  }
};

}  // namespace

void register_lease(StrategyRegistry& registry) {
  registry.add("leases.coordination.k8s.io", std::make_unique<LeaseStrategy>());
}

}  // namespace steer
