// Services: addresses and node ports are given out here, and given back with the service.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/service_addresses.h"
#include "cluster/apiserver/status_error.h"

namespace steer {
namespace {

std::string selfKey(const json::object& service) {
  return std::string(stringAt(service, {"metadata", "namespace"})) + "/" +
         std::string(stringAt(service, {"metadata", "name"}));
}

std::string_view typeOf(const json::object& service) { return stringAt(service, {"spec", "type"}, "ClusterIP"); }

bool wantsNodePorts(const json::object& service) {
  const auto type = typeOf(service);
  return type == "NodePort" ||
         (type == "LoadBalancer" && boolAt(service, {"spec", "allocateLoadBalancerNodePorts"}, true));
}

Error refuse(const json::object& service, Cause cause) {
  const auto* kind = SchemaRegistry::builtin().findByResource("services");
  return invalidError(*kind, stringAt(service, {"metadata", "name"}), {std::move(cause)});
}

Result<void> giveAddress(const AdmissionContext& context, json::object& service) {
  auto& spec = ensureObject(service, "spec");
  if (typeOf(service) == "ExternalName") {
    for (const char* key : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) spec.erase(key);
    return {};
  }
  // Services have addresses of one family here.
  std::size_t index = 0;
  for (const auto& family : arrayAt(spec, {"ipFamilies"})) {
    if (family != "IPv4" && (index == 0 || stringAt(spec, {"ipFamilyPolicy"}) != "PreferDualStack"))
      return refuse(service, invalidValue("spec.ipFamilies[" + std::to_string(index) + "]",
                                          jsonText(family) + ": not configured on this cluster"));
    ++index;
  }
  if (stringAt(spec, {"ipFamilyPolicy"}) == "RequireDualStack")
    return refuse(service,
                  invalidValue("spec.ipFamilyPolicy",
                               "\"RequireDualStack\": this cluster is not configured for dual-stack services"));
  const auto range = addressesOf(context.options.serviceCidr);
  std::string ip(stringAt(spec, {"clusterIP"}));
  if (ip.empty()) {
    STEER_TRY(ip, chooseClusterIp(context.view, range, context.random));
  } else if (ip != "None") {
    const auto parsed = parseIpv4(ip);
    if (!parsed || !range.contains(*parsed))
      return refuse(service, invalidValue("spec.clusterIPs", "[\"" + ip + "\"]: failed to allocate IP " + ip +
                                                                 ": the provided IP is not in the valid range " +
                                                                 context.options.serviceCidr));
    if (clusterIpTaken(context.view, ip, selfKey(service)))
      return refuse(service, invalidValue("spec.clusterIPs", "[\"" + ip + "\"]: failed to allocate IP " + ip +
                                                                 ": provided IP is already allocated"));
  }
  spec["clusterIP"] = ip;
  // A list that somebody wrote stays, so that validation sees it.
  if (arrayAt(spec, {"clusterIPs"}).empty()) spec["clusterIPs"] = json::array{json::value(ip)};
  if (!spec.contains("ipFamilies")) spec["ipFamilies"] = json::array{"IPv4"};
  if (!spec.contains("ipFamilyPolicy")) spec["ipFamilyPolicy"] = "SingleStack";
  return {};
}

Result<void> givePorts(const AdmissionContext& context, json::object& service) {
  const auto& options = context.options;
  auto* ports = ensureArray(ensureObject(service, "spec"), "ports").empty()
                    ? nullptr
                    : &ensureArray(ensureObject(service, "spec"), "ports");
  if (ports == nullptr) return {};
  for (std::size_t i = 0; i < ports->size(); ++i) {
    auto* port = (*ports)[i].if_object();
    if (port == nullptr) continue;
    const std::string at = "spec.ports[" + std::to_string(i) + "].nodePort";
    const std::string protocol(stringAt(*port, {"protocol"}, "TCP"));
    const auto asked = intAt(*port, {"nodePort"});
    if (!wantsNodePorts(service)) {
      if (asked != 0 && typeOf(service) == "ClusterIP")
        return refuse(service, forbiddenValue(at, "may not be used when `type` is 'ClusterIP'"));
      continue;
    }
    if (asked == 0) {
      STEER_TRY(const int chosen, chooseNodePort(context.view, options.nodePortMin, options.nodePortMax, protocol,
                                                 service, context.random));
      (*port)["nodePort"] = chosen;
    } else if (asked < options.nodePortMin || asked > options.nodePortMax) {
      return refuse(service, invalidValue(at, std::to_string(asked) +
                                                  ": provided port is not in the valid range. The range of valid "
                                                  "ports is " +
                                                  std::to_string(options.nodePortMin) + "-" +
                                                  std::to_string(options.nodePortMax)));
    } else if (nodePortTaken(context.view, static_cast<int>(asked), protocol, selfKey(service))) {
      return refuse(service, invalidValue(at, std::to_string(asked) + ": provided port is already allocated"));
    }
  }
  return {};
}

bool wantsHealthPort(const json::object& service) {
  return typeOf(service) == "LoadBalancer" && stringAt(service, {"spec", "externalTrafficPolicy"}) == "Local";
}

Result<void> giveHealthPort(const AdmissionContext& context, json::object& service) {
  auto& spec = ensureObject(service, "spec");
  if (wantsHealthPort(service) && intAt(spec, {"healthCheckNodePort"}) == 0) {
    STEER_TRY(const int chosen, chooseNodePort(context.view, context.options.nodePortMin, context.options.nodePortMax,
                                               "TCP", service, context.random));
    spec["healthCheckNodePort"] = chosen;
  }
  return {};
}

/// What the type that it was implied, and the type that it becomes does not want.
void dropForeignFields(const json::object& before, json::object& after) {
  auto& spec = ensureObject(after, "spec");
  const auto was = typeOf(before);
  const auto is = typeOf(after);
  if (was == is) return;
  if (was == "ExternalName") spec.erase("externalName");
  if (is == "ExternalName")
    for (const char* key : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"})
      if (objectAt(before, {"spec"}).contains(key) && spec.contains(key) && spec.at(key) == before.at("spec").at(key))
        spec.erase(key);
  if (!wantsNodePorts(after)) {
    spec.erase("externalTrafficPolicy");
    // Numbers that the old type was given, not what this write asks for.
    const auto& old = arrayAt(before, {"spec", "ports"});
    for (auto& port : ensureArray(spec, "ports"))
      for (const auto& gone : old)
        if (port.is_object() && intAt(port, {"nodePort"}) == intAt(gone, {"nodePort"}))
          port.get_object().erase("nodePort");
  }
}

/// A replacement that does not name the address or the ports keeps them.
void keepGiven(const json::object& before, json::object& after) {
  auto& spec = ensureObject(after, "spec");
  const auto& old = objectAt(before, {"spec"});
  if (typeOf(after) != "ExternalName" && stringAt(spec, {"clusterIP"}).empty() && !stringAt(old, {"clusterIP"}).empty())
    spec["clusterIP"] = old.at("clusterIP");
  if (const auto* list = old.if_contains("clusterIPs"); list != nullptr && spec.contains("clusterIP")) {
    // The list follows the address that somebody wrote, and the other way round where only the list was.
    auto& addresses = spec["clusterIPs"];
    if (!addresses.is_array() || addresses.get_array().empty()) addresses = *list;
    if (addresses == *list && !addresses.get_array().empty() && typeOf(after) != "ExternalName")
      addresses.get_array()[0] = spec.at("clusterIP");
  }
  if (intAt(spec, {"healthCheckNodePort"}) == intAt(old, {"healthCheckNodePort"}) && !wantsHealthPort(after))
    spec.erase("healthCheckNodePort");
  if (!wantsNodePorts(after) || !wantsNodePorts(before)) return;
  for (auto& port : ensureArray(spec, "ports")) {
    if (!port.is_object() || intAt(port, {"nodePort"}) != 0) continue;
    for (const auto& given : arrayAt(old, {"ports"}))
      if (intAt(given, {"port"}) == intAt(port, {"port"}) &&
          stringAt(given, {"protocol"}, "TCP") == stringAt(port, {"protocol"}, "TCP") &&
          intAt(given, {"nodePort"}) != 0)
        port.get_object()["nodePort"] = given.at("nodePort");
  }
}

class ServiceStrategy final : public KindStrategy {
 public:
  bool countsGenerations() const override { return false; }
  std::string_view turn() const override { return "service addresses"; }

  Result<void> prepareCreate(const AdmissionContext& context, json::object& service) const override {
    STEER_CHECK(giveAddress(context, service));
    STEER_CHECK(givePorts(context, service));
    STEER_CHECK(giveHealthPort(context, service));
    service["status"] = {{"loadBalancer", json::object{}}};
    return {};
  }
  Result<void> prepareUpdate(const AdmissionContext& context, const json::object& before,
                             json::object& service) const override {
    dropForeignFields(before, service);
    keepGiven(before, service);
    STEER_CHECK(giveAddress(context, service));
    STEER_CHECK(givePorts(context, service));
    return giveHealthPort(context, service);
  }

  std::vector<std::string_view> selectableFields() const override { return {"spec.clusterIP", "spec.type"}; }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},   {"Type"}, {"Cluster-IP"}, {"External-IP"}, {"Port(s)"}, {"Age"},
            {"Selector", "string", "", 1}};
  }
  json::array row(const Object& service, Time now) const override;
};

std::string externalIp(const Object& service) {
  const auto type = typeOf(service.json());
  if (type == "ExternalName") return std::string(stringAt(service.spec(), {"externalName"}));
  std::string out;
  for (const auto& item : arrayAt(service.status(), {"loadBalancer", "ingress"})) {
    const auto ip = stringAt(item, {"ip"});
    out += (out.empty() ? "" : ",") + std::string(ip.empty() ? stringAt(item, {"hostname"}) : ip);
  }
  for (const auto& item : arrayAt(service.spec(), {"externalIPs"}))
    if (const auto* ip = item.if_string()) out += (out.empty() ? "" : ",") + std::string(view(*ip));
  return out.empty() ? (type == "LoadBalancer" ? "<pending>" : "<none>") : out;
}

json::array ServiceStrategy::row(const Object& service, Time now) const {
  std::string ports;
  for (const auto& port : arrayAt(service.spec(), {"ports"})) {
    if (!ports.empty()) ports += ',';
    ports += std::to_string(intAt(port, {"port"}));
    if (const auto node = intAt(port, {"nodePort"}); node != 0) ports += ":" + std::to_string(node);
    ports += "/" + std::string(stringAt(port, {"protocol"}, "TCP"));
  }
  return {service.name(),
          typeOf(service.json()),
          orNone(std::string(stringAt(service.spec(), {"clusterIP"}))),
          externalIp(service),
          orNone(ports),
          ageText(service, now),
          mapText(objectAt(service.spec(), {"selector"}))};
}

}  // namespace

void register_service(StrategyRegistry& registry) { registry.add("services", std::make_unique<ServiceStrategy>()); }

}  // namespace steer
