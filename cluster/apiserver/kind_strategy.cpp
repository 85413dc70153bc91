#include "cluster/apiserver/kind_strategy.h"

#include "cluster/apiserver/row_text.h"

namespace steer {

// Generated from the list of kinds in CMakeLists.txt.
void registerAllKinds(StrategyRegistry& registry);

std::int64_t KindStrategy::graceOnDelete(const Object&, std::optional<std::int64_t>) const { return 0; }
bool KindStrategy::heldBySpec(const json::object&) const { return false; }
void KindStrategy::markDeleting(json::object&) const {}
Result<void> KindStrategy::prepareCreate(const AdmissionContext&, json::object&) const { return {}; }
Result<void> KindStrategy::prepareUpdate(const AdmissionContext&, const json::object&, json::object&) const {
  return {};
}
void KindStrategy::validate(const AdmissionContext&, const json::object*, const json::object&,
                            std::vector<Cause>&) const {}

void KindStrategy::validateStatus(const json::object&, std::vector<Cause>&) const {}

std::vector<TableColumn> KindStrategy::columns() const { return {{"Name", "string", "name"}, {"Age"}}; }

json::array KindStrategy::row(const Object& object, Time now) const { return {object.name(), ageText(object, now)}; }

const StrategyRegistry& StrategyRegistry::builtin() {
  static const StrategyRegistry* registry = [] {
    static StrategyRegistry made;
    registerAllKinds(made);
    return &made;
  }();
  return *registry;
}

const KindStrategy& StrategyRegistry::of(std::string_view resource) const {
  const auto it = byResource_.find(resource);
  return it == byResource_.end() ? fallback_ : *it->second;
}

void StrategyRegistry::add(std::string resource, std::unique_ptr<KindStrategy> strategy) {
  byResource_[std::move(resource)] = std::move(strategy);
}

std::vector<std::pair<std::string, json::object>> KindStrategy::companions(const json::object&) const { return {}; }

}  // namespace steer
