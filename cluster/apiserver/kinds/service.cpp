// Services: addresses and node ports are given out here, and given back with the service.
#include <set>

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
  spec["clusterIPs"] = json::array{json::value(ip)};
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

Result<void> giveHealthPort(const AdmissionContext& context, json::object& service) {
  auto& spec = ensureObject(service, "spec");
  const bool wanted = typeOf(service) == "LoadBalancer" && stringAt(spec, {"externalTrafficPolicy"}) == "Local";
  if (!wanted) {
    spec.erase("healthCheckNodePort");
  } else if (intAt(spec, {"healthCheckNodePort"}) == 0) {
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
  if (is == "ExternalName") spec.erase("clusterIP");
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

void checkPorts(const json::object& spec, std::vector<Cause>& causes) {
  const auto& ports = arrayAt(spec, {"ports"});
  std::set<std::string> names;
  std::set<std::pair<std::int64_t, std::string>> pairs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::string at = "spec.ports[" + std::to_string(i) + "]";
    const std::string name(stringAt(ports[i], {"name"}));
    const auto number = intAt(ports[i], {"port"});
    if (name.empty() && ports.size() > 1) causes.push_back(requiredValue(at + ".name"));
    if (!name.empty() && !names.insert(name).second)
      causes.push_back({"FieldValueDuplicate", at + ".name", "Duplicate value: \"" + name + "\""});
    if (number < 1 || number > 65535)
      causes.push_back(invalidValue(at + ".port", std::to_string(number) + ": must be between 1 and 65535, inclusive"));
    if (!pairs.emplace(number, std::string(stringAt(ports[i], {"protocol"}, "TCP"))).second)
      causes.push_back({"FieldValueDuplicate", at, "Duplicate value: the same port and protocol"});
  }
}

class ServiceStrategy final : public KindStrategy {
 public:
  NameRule nameRule() const override { return NameRule::dnsLabel1035; }
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

  void validate(const AdmissionContext&, const json::object*, const json::object& service,
                std::vector<Cause>& causes) const override {
    const auto& spec = objectAt(service, {"spec"});
    const auto type = typeOf(service);
    const auto ip = stringAt(spec, {"clusterIP"});
    if (type == "ExternalName") {
      if (stringAt(spec, {"externalName"}).empty()) causes.push_back(requiredValue("spec.externalName"));
    } else if (arrayAt(spec, {"ports"}).empty() && ip != "None") {
      causes.push_back(requiredValue("spec.ports"));
    }
    if (ip == "None" && type != "ClusterIP")
      causes.push_back(invalidValue("spec.clusterIPs[0]",
                                    "\"None\": may not be set to 'None' for " + std::string(type) + " services"));
    checkPorts(spec, causes);
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
