#include "cluster/controllers/endpoint_slices.h"

#include "cluster/controllers/endpoint_facts.h"
#include "cluster/controllers/pod_facts.h"
#include "cluster/controllers/slice_plan.h"

namespace steer {
namespace {

constexpr const char* kSlices = "endpointslices.discovery.k8s.io";

std::vector<Controller::Key> keyOf(const ObjectPtr& before, const ObjectPtr& after) {
  const auto& object = after ? after : before;
  return {{object->ns(), object->name()}};
}

/// Keys for a slice that somebody changed: its service.
std::vector<Controller::Key> keyOfSlice(const ObjectPtr& before, const ObjectPtr& after) {
  const auto& object = after ? after : before;
  const auto service = object->label(kServiceName);
  if (service.empty()) return {};
  return {{object->ns(), std::string(service)}};
}

class EndpointSliceController final : public Controller {
 public:
  std::string_view name() const override { return "endpointslice-controller"; }
  std::vector<std::string> resources() const override { return {"services", "pods", kSlices, "nodes"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    if (resource == "services") return keyOf(before, after);
    if (resource == kSlices) return keyOfSlice(before, after);
    if (resource == "pods") return endpointfacts::keysForPod(snapshot, before, after);
    return {};  // a node's zone is read when a pod changes
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto service = snapshot.get("services", key.ns, key.name);
    if (!service || service->deleting() || !endpointfacts::selects(*service)) return out;
    SliceSet wanted{service, service->name(), "endpointslice-controller.k8s.io", service->labels(), 100, {}};
    if (endpointfacts::headless(*service)) wanted.labels["service.kubernetes.io/headless"] = "";
    const auto pods = endpointfacts::backends(snapshot, *service);
    for (const auto& family : endpointfacts::familiesOf(*service)) addFamily(snapshot, *service, pods, family, wanted);
    out.writes = planSlices(wanted, snapshot.labelled(kSlices, kServiceName, key.name));
    return out;
  }

 private:
  static void addFamily(const Snapshot& snapshot, const Object& service, const std::vector<ObjectPtr>& pods,
                        const std::string& family, SliceSet& wanted) {
    std::map<std::string, SliceGroup> groups;  // pods whose named ports have equal numbers share slices
    for (const auto& pod : pods) {
      const auto address = endpointfacts::addressOf(*pod, family);
      if (address.empty()) continue;
      auto ports = endpointfacts::portsFor(service, *pod);
      if (ports.empty() && !arrayAt(service.spec(), {"ports"}).empty()) continue;
      auto& group = groups[jsonCanonical(json::value(ports))];
      group.addressType = family;
      group.ports = std::move(ports);
      group.endpoints.push_back(endpointOf(snapshot, service, *pod, address));
    }
    if (groups.empty()) groups[""] = {family, {}, {}};
    for (auto& [key, group] : groups) wanted.groups.push_back(std::move(group));
  }

  static json::object endpointOf(const Snapshot& snapshot, const Object& service, const Object& pod,
                                 const std::string& address) {
    const bool serving = podfacts::ready(pod);
    const bool ready = boolAt(service.spec(), {"publishNotReadyAddresses"}) || (serving && !pod.deleting());
    json::object endpoint{{"addresses", json::array{json::string(address)}},
                          {"conditions", {{"ready", ready}, {"serving", serving}, {"terminating", pod.deleting()}}},
                          {"targetRef", endpointfacts::targetRef(pod)}};
    if (const auto hostname = endpointfacts::hostnameUnder(service, pod); !hostname.empty())
      endpoint["hostname"] = hostname;
    const auto nodeName = stringAt(pod.spec(), {"nodeName"});
    if (nodeName.empty()) return endpoint;
    endpoint["nodeName"] = nodeName;
    if (const auto node = snapshot.get("nodes", "", nodeName))
      if (const auto zone = node->label("topology.kubernetes.io/zone"); !zone.empty()) endpoint["zone"] = zone;
    return endpoint;
  }
};

class EndpointMirrorController final : public Controller {
 public:
  std::string_view name() const override { return "endpointslicemirroring-controller"; }
  std::vector<std::string> resources() const override { return {"services", "endpoints", kSlices}; }

  std::vector<Key> keysFor(const Snapshot&, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    return resource == kSlices ? keyOfSlice(before, after) : keyOf(before, after);
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto endpoints = snapshot.get("endpoints", key.ns, key.name);
    const auto service = snapshot.get("services", key.ns, key.name);
    if (!endpoints) return out;  // its mirrors go with it, through their owner references
    SliceSet wanted{endpoints, key.name, "endpointslicemirroring-controller.k8s.io", endpoints->labels(), 1000, {}};
    const bool mirrored = service && objectAt(service->spec(), {"selector"}).empty() && !endpoints->deleting() &&
                          endpoints->label("endpointslice.kubernetes.io/skip-mirror") != "true" &&
                          endpoints->annotation("control-plane.alpha.kubernetes.io/leader").empty() &&
                          !managedElsewhere(snapshot, key);
    if (mirrored)
      for (const auto& subset : arrayAt(endpoints->json(), {"subsets"})) addSubset(subset, wanted);
    out.writes = planSlices(wanted, snapshot.labelled(kSlices, kServiceName, key.name));
    return out;
  }

 private:
  /// Somebody already writes slices for this service without a selector (the API server's own).
  static bool managedElsewhere(const Snapshot& snapshot, const Key& key) {
    for (const auto& slice : snapshot.labelled(kSlices, kServiceName, key.name))
      if (slice->ns() == key.ns && slice->label(kSliceManagedBy) != "endpointslicemirroring-controller.k8s.io")
        return true;
    return false;
  }

  static void addSubset(const json::value& subset, SliceSet& wanted) {
    for (const char* family : {"IPv4", "IPv6"}) {
      SliceGroup group{family, arrayAt(subset, {"ports"}), {}};
      for (const char* list : {"addresses", "notReadyAddresses"}) {
        for (const auto& address : arrayAt(subset, {list})) {
          const auto ip = stringAt(address, {"ip"});
          if ((ip.find(':') != ip.npos) != (group.addressType == "IPv6")) continue;
          const bool ready = list == std::string_view("addresses");
          json::object endpoint{{"addresses", json::array{json::string(jkey(ip))}}, {"conditions", {{"ready", ready}}}};
          for (const char* key : {"hostname", "nodeName", "targetRef"})
            if (const auto* value = find(address, {key})) endpoint[key] = *value;
          group.endpoints.push_back(std::move(endpoint));
        }
      }
      if (!group.endpoints.empty()) wanted.groups.push_back(std::move(group));
    }
  }
};

}  // namespace

std::unique_ptr<Controller> makeEndpointSliceController() { return std::make_unique<EndpointSliceController>(); }
std::unique_ptr<Controller> makeEndpointMirrorController() { return std::make_unique<EndpointMirrorController>(); }

}  // namespace steer
