#include "cluster/controllers/endpoints.h"

#include <algorithm>

#include "cluster/controllers/endpoint_facts.h"
#include "cluster/controllers/pod_facts.h"

namespace steer {
namespace {

constexpr std::string_view kOverCapacity = "endpoints.kubernetes.io/over-capacity";
constexpr std::string_view kManagedBy = "endpoints.kubernetes.io/managed-by";
constexpr std::size_t kMaxAddresses = 1000;

struct Subset {
  json::array ports;
  std::vector<std::pair<std::string, json::object>> ready, notReady;  ///< by address, for a stable order
};

json::array addresses(std::vector<std::pair<std::string, json::object>>& items, std::size_t& room) {
  std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  json::array out;
  for (auto& [address, item] : items) {
    if (room == 0) break;
    --room;
    out.push_back(std::move(item));
  }
  return out;
}

class EndpointsController final : public Controller {
 public:
  std::string_view name() const override { return "endpoint-controller"; }
  std::vector<std::string> resources() const override { return {"services", "pods", "endpoints"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    if (resource == "pods") return endpointfacts::keysForPod(snapshot, before, after);
    const auto& object = after ? after : before;
    // Endpoints written by hand before their service stay; only the service's end removes them.
    if (resource == "endpoints" && !snapshot.get("services", object->ns(), object->name())) return {};
    return {{object->ns(), object->name()}};
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto service = snapshot.get("services", key.ns, key.name);
    const auto current = snapshot.get("endpoints", key.ns, key.name);
    if (!service) {
      if (current && !current->deleting()) {
        out.provided.push_back({{"services", key.ns, key.name}, ""});
        DeleteOptions options;
        options.uid = current->uid();
        out.writes.push_back(Write::remove({"endpoints", key.ns, key.name}, std::move(options)));
      }
      return out;
    }
    if (service->deleting() || !endpointfacts::selects(*service)) return out;
    json::object body = current ? current->json()
                                : json::object{{"apiVersion", "v1"},
                                               {"kind", "Endpoints"},
                                               {"metadata", {{"namespace", key.ns}, {"name", key.name}}}};
    fill(snapshot, *service, body);
    if (!current) out.writes.push_back(Write::create("endpoints", std::move(body)));
    else if (body != current->json()) out.writes.push_back(Write::update("endpoints", std::move(body)));
    return out;
  }

 private:
  static void fill(const Snapshot& snapshot, const Object& service, json::object& body) {
    std::map<std::string, Subset> subsets;
    std::size_t total = 0;
    for (const auto& pod : endpointfacts::backends(snapshot, service)) total += addPod(service, *pod, subsets);
    std::size_t room = kMaxAddresses;
    json::array shown;
    // Ready addresses have the first claim on the room.
    std::map<std::string, json::array> ready;
    for (auto& [key, subset] : subsets) ready[key] = addresses(subset.ready, room);
    for (auto& [key, subset] : subsets) {
      json::object item;
      if (!ready[key].empty()) item["addresses"] = std::move(ready[key]);
      if (auto rest = addresses(subset.notReady, room); !rest.empty()) item["notReadyAddresses"] = std::move(rest);
      if (item.empty()) continue;
      if (!subset.ports.empty()) item["ports"] = std::move(subset.ports);
      shown.push_back(std::move(item));
    }
    if (shown.empty()) body.erase("subsets");
    else body["subsets"] = std::move(shown);
    auto& metadata = ensureObject(body, "metadata");
    json::object labels = service.labels();
    labels[jkey(kManagedBy)] = "endpoint-controller";
    if (endpointfacts::headless(service)) labels["service.kubernetes.io/headless"] = "";
    metadata["labels"] = std::move(labels);
    if (total > kMaxAddresses) {
      ensureObject(metadata, "annotations")[jkey(kOverCapacity)] = "truncated";
    } else if (auto* annotations = metadata.if_contains("annotations"); annotations != nullptr) {
      annotations->as_object().erase(jkey(kOverCapacity));
      if (annotations->as_object().empty()) metadata.erase("annotations");
    }
  }

  /// Number of addresses added.
  static std::size_t addPod(const Object& service, const Object& pod, std::map<std::string, Subset>& subsets) {
    const bool publish = boolAt(service.spec(), {"publishNotReadyAddresses"});
    if (pod.deleting() && !publish) return 0;
    const auto address = endpointfacts::addressOf(pod, endpointfacts::familiesOf(service).front());
    if (address.empty()) return 0;
    auto ports = endpointfacts::portsFor(service, pod);
    if (ports.empty() && !arrayAt(service.spec(), {"ports"}).empty()) return 0;
    for (auto& port : ports)
      if (stringAt(port, {"name"}).empty()) port.as_object().erase("name");
    json::object item{{"ip", address}, {"targetRef", endpointfacts::targetRef(pod)}};
    if (const auto hostname = endpointfacts::hostnameUnder(service, pod); !hostname.empty())
      item["hostname"] = hostname;
    if (const auto node = stringAt(pod.spec(), {"nodeName"}); !node.empty()) item["nodeName"] = node;
    auto& subset = subsets[jsonCanonical(json::value(ports))];
    subset.ports = std::move(ports);
    auto& list = publish || podfacts::ready(pod) ? subset.ready : subset.notReady;
    list.emplace_back(address, std::move(item));
    return 1;
  }
};

}  // namespace

std::unique_ptr<Controller> makeEndpointsController() { return std::make_unique<EndpointsController>(); }

}  // namespace steer
