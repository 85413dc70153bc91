// Replication controllers: like replica sets, with a plain map as selector; deleting one without a
// policy leaves its pods.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/replica_rows.h"
#include "cluster/apiserver/row_text.h"
#include "core/selector.h"

namespace steer {
namespace {

class ReplicationControllerStrategy final : public KindStrategy {
 public:
  bool orphansByDefault() const override { return true; }
  std::vector<std::string_view> selectableFields() const override { return {"status.replicas"}; }
  std::vector<TableColumn> columns() const override { return replicaColumns(); }
  json::array row(const Object& object, Time now) const override {
    auto out = replicaRow(object, now);
    out.push_back(json::value(mapText(objectAt(object.spec(), {"selector"}))));
    return out;
  }
};

}  // namespace

void register_replication_controller(StrategyRegistry& registry) {
  registry.add("replicationcontrollers", std::make_unique<ReplicationControllerStrategy>());
}

}  // namespace steer
