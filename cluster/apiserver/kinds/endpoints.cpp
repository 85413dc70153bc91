// Endpoints.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

constexpr std::size_t kShown = 3;

std::string shown(const Object& object) {
  std::vector<std::string> all;
  for (const auto& subset : arrayAt(object.json(), {"subsets"})) {
    const auto& ports = arrayAt(subset, {"ports"});
    for (const auto& address : arrayAt(subset, {"addresses"})) {
      const std::string ip(stringAt(address, {"ip"}));
      if (ports.empty()) all.push_back(ip);
      for (const auto& port : ports) all.push_back(ip + ":" + std::to_string(intAt(port, {"port"})));
    }
  }
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < kShown; ++i) out += (i == 0 ? "" : ",") + all[i];
  if (all.size() > kShown) out += " + " + std::to_string(all.size() - kShown) + " more...";
  return orNone(out);
}

class EndpointsStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Endpoints"}, {"Age"}}; }
  json::array row(const Object& object, Time now) const override {
    return {object.name(), shown(object), ageText(object, now)};
  }
};

}  // namespace

void register_endpoints(StrategyRegistry& registry) {
  registry.add("endpoints", std::make_unique<EndpointsStrategy>());
}

}  // namespace steer
