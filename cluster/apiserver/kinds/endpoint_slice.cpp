// Endpoint slices.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

constexpr std::size_t kShown = 3;

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < kShown; ++i) out += (i == 0 ? "" : ",") + all[i];
  if (all.size() > kShown) out += " + " + std::to_string(all.size() - kShown) + " more...";
  return out;
}

class EndpointSliceStrategy final : public KindStrategy {
 public:
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"}, {"AddressType"}, {"Ports"}, {"Endpoints"}, {"Age"}};
  }
  json::array row(const Object& object, Time now) const override {
    std::vector<std::string> ports;
    std::vector<std::string> addresses;
    for (const auto& port : arrayAt(object.json(), {"ports"})) ports.push_back(std::to_string(intAt(port, {"port"})));
    for (const auto& endpoint : arrayAt(object.json(), {"endpoints"}))
      for (const auto& address : arrayAt(endpoint, {"addresses"}))
        if (const auto* text = address.if_string()) addresses.emplace_back(view(*text));
    const std::string some = joined(ports);
    const std::string where = joined(addresses);
    return {object.name(), stringAt(object.json(), {"addressType"}), some.empty() ? "<unset>" : some,
            where.empty() ? "<unset>" : where, ageText(object, now)};
  }
};

}  // namespace

void register_endpoint_slice(StrategyRegistry& registry) {
  registry.add("endpointslices.discovery.k8s.io", std::make_unique<EndpointSliceStrategy>());
}

}  // namespace steer
