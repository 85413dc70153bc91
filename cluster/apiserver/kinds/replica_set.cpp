// Replica sets.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/replica_rows.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

class ReplicaSetStrategy final : public KindStrategy {
 public:
  std::vector<std::string_view> selectableFields() const override { return {"status.replicas"}; }
  std::vector<TableColumn> columns() const override { return replicaColumns(); }
  json::array row(const Object& object, Time now) const override {
    auto out = replicaRow(object, now);
    out.push_back(json::value(selectorText(object.spec().if_contains("selector"))));
    return out;
  }
};

}  // namespace

void register_replica_set(StrategyRegistry& registry) {
  registry.add("replicasets.apps", std::make_unique<ReplicaSetStrategy>());
}

}  // namespace steer
