// Replication controllers: like replica sets, with a plain map as selector; deleting one without a
// policy leaves its pods.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/status_error.h"
#include "cluster/apiserver/template_rules.h"
#include "core/selector.h"

namespace steer {
namespace {

class ReplicationControllerStrategy final : public KindStrategy {
 public:
  bool orphansByDefault() const override { return true; }
  void validate(const AdmissionContext&, const json::object*, const json::object& object,
                std::vector<Cause>& causes) const override {
    checkReplicas(object, causes);
    checkTemplate(object, causes);
    const auto& selector = objectAt(object, {"spec", "selector"});
    if (selector.empty()) {
      causes.push_back(requiredValue("spec.selector"));
    } else if (!LabelSelector::fromMap(selector).matches(
                   objectAt(object, {"spec", "template", "metadata", "labels"}))) {
      causes.push_back(invalidValue("spec.template.metadata.labels", "`selector` does not match template `labels`"));
    }
  }
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
