// Secrets. Their values appear in no message.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/secret_text.h"

namespace steer {
namespace {

class SecretStrategy final : public KindStrategy {
 public:
  Result<void> prepareCreate(const AdmissionContext&, json::object& object) const override {
    foldStringData(object);
    return {};
  }
  Result<void> prepareUpdate(const AdmissionContext&, const json::object&, json::object& object) const override {
    foldStringData(object);
    return {};
  }
  std::vector<std::string_view> selectableFields() const override { return {"type"}; }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"}, {"Type"}, {"Data"}, {"Age"}};
  }
  json::array row(const Object& object, Time now) const override {
    return {object.name(), stringAt(object.json(), {"type"}), std::to_string(objectAt(object.json(), {"data"}).size()),
            ageText(object, now)};
  }
};

}  // namespace

void register_secret(StrategyRegistry& registry) { registry.add("secrets", std::make_unique<SecretStrategy>()); }

}  // namespace steer
