// Services, and the endpoints behind them.
#include <set>

#include "schemas/rules/addresses.h"
#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

const std::vector<std::string> kProtocols{"SCTP", "TCP", "UDP"};

void checkServicePort(const FieldPath& at, const json::object& port, std::size_t count, RuleReport& report) {
  const auto name = text(port, "name");
  if (name.empty() && count > 1) report.required(at.field("name"));
  if (!name.empty()) report.check(at.field("name"), name, checkDns1123Label);
  const json::value none = 0;
  const auto* number = given(port, "port");
  checkPortNumber(at.field("port"), number == nullptr ? &none : number, report);
  checkEnum(at.field("protocol"), text(port, "protocol"), kProtocols, report, Empty::required);
  checkPort(at.field("targetPort"), given(port, "targetPort"), report);
  if (given(port, "appProtocol") != nullptr)
    report.check(at.field("appProtocol"), text(port, "appProtocol"), checkQualifiedName);
}

void checkServicePorts(const FieldPath& spec, const json::object& said, std::string_view type, RuleReport& report) {
  constexpr std::int64_t kAgentPort = 10250;
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int64_t>> numbers;
  std::set<std::pair<std::string, std::int64_t>> nodePorts;
  const auto count = items(said, "ports").size();
  eachObject(spec, said, "ports", [&](const FieldPath& at, const json::object& port) {
    checkServicePort(at, port, count, report);
    const std::string name(text(port, "name"));
    const std::string protocol(text(port, "protocol"));
    const auto n = number(port, "port");
    const auto node = number(port, "nodePort");
    if (!name.empty() && !names.insert(name).second) report.duplicate(at.field("name"), json::value(name));
    if (!numbers.emplace(protocol, n).second) report.duplicate(at, json::value(protocol + " " + std::to_string(n)));
    if (node != 0 && type == "ClusterIP")
      report.forbidden(at.field("nodePort"), "may not be used when `type` is 'ClusterIP'");
    if (node != 0 && !nodePorts.emplace(protocol, node).second) report.duplicate(at.field("nodePort"), node);
    if (type == "LoadBalancer" && n == kAgentPort)
      report.invalid(at.field("port"), n, "may not expose port 10250 externally since it is used by kubelet");
  });
}

void checkFamilies(const FieldPath& spec, const json::object& said, const std::vector<std::string>& addresses,
                   RuleReport& report) {
  const auto list = spec.field("ipFamilies");
  const auto ips = spec.field("clusterIPs");
  std::set<std::string, std::less<>> seen;
  std::size_t i = 0;
  eachText(spec, said, "ipFamilies", [&](const FieldPath& here, std::string_view family) {
    checkEnum(here, family, {"IPv4", "IPv6"}, report, Empty::unsupported);
    if (!seen.emplace(family).second) report.duplicate(here, quoted(family));
    if (i < addresses.size() && isAddress(addresses[i]) && isOneOf(family, {"IPv4", "IPv6"}) &&
        isIpv6(addresses[i]) != (family == "IPv6"))
      report.invalid(
          ips.item(i), json::value(addresses[i]),
          "expected an " + std::string(family) + " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
    ++i;
  });
  if (items(said, "ipFamilies").size() > 2) report.invalid(list, nullptr, "may only hold up to 2 values");
  if (given(said, "ipFamilyPolicy") != nullptr)
    checkEnum(spec.field("ipFamilyPolicy"), text(said, "ipFamilyPolicy"),
              {"PreferDualStack", "RequireDualStack", "SingleStack"}, report, Empty::unsupported);
}

void checkClusterAddresses(const FieldPath& spec, const json::object& said, std::string_view type, RuleReport& report) {
  const auto list = spec.field("clusterIPs");
  const std::string first(text(said, "clusterIP"));
  std::vector<std::string> addresses;
  for (const auto& item : items(said, "clusterIPs"))
    addresses.emplace_back(item.is_string() ? std::string(view(item.get_string())) : std::string());
  if (addresses.empty() && !first.empty()) addresses.push_back(first);
  if (type == "ExternalName") {
    if (!addresses.empty()) report.forbidden(list, "may not be set for ExternalName services");
    for (const auto* field : {"ipFamilies", "ipFamilyPolicy"})
      if (given(said, field) != nullptr)
        report.forbidden(spec.field(field), "may not be set for ExternalName services");
    return;
  }
  if (addresses.size() > 2) report.invalid(list, nullptr, "may only hold up to 2 values");
  if (!addresses.empty() && (first.empty() || addresses[0] != first))
    report.invalid(list, nullptr, "first value must match `clusterIP`");
  const bool single = items(said, "clusterIPs").empty();
  const auto written = spec.field("clusterIP");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto at = single ? written.saidAs("spec.clusterIPs[0]") : list.item(i);
    if (addresses[i] == "None") {
      if (i > 0 || addresses.size() > 1) report.invalid(list, nullptr, "'None' must be the first and only value");
      else if (isOneOf(type, {"NodePort", "LoadBalancer"}))
        report.invalid(at, "None", "may not be set to 'None' for " + std::string(type) + " services");
      continue;
    }
    if (const auto problem = checkAddress(addresses[i])) report.invalid(at, json::value(addresses[i]), *problem);
  }
  if (addresses.size() == 2 && isAddress(addresses[0]) && isAddress(addresses[1]) &&
      isIpv6(addresses[0]) == isIpv6(addresses[1]))
    report.invalid(list, nullptr, "may specify no more than one IP for each IP family");
  checkFamilies(spec, said, addresses, report);
}

void checkAffinityConfig(const FieldPath& spec, const json::object& said, RuleReport& report) {
  constexpr std::int64_t kDay = 86400;
  const auto affinity = text(said, "sessionAffinity");
  checkEnum(spec.field("sessionAffinity"), affinity, {"ClientIP", "None"}, report, Empty::required);
  if (affinity != "ClientIP") return;
  const auto here = spec.path("sessionAffinityConfig.clientIP.timeoutSeconds");
  const auto* seconds = find(said, {"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
  const auto n = seconds == nullptr ? std::nullopt : asInt(*seconds);
  if (n && (*n < 1 || *n > kDay)) report.invalid(here, *seconds, "must be greater than 0 and less than 86400");
}

void checkBalancer(const FieldPath& spec, const json::object& object, const json::object& said, bool balancer,
                   RuleReport& report) {
  constexpr const char* kRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const auto field = spec.field("loadBalancerSourceRanges");
  const auto ranges = field.saidAs("spec.LoadBalancerSourceRanges");  // with Kubernetes' capital
  const auto trim = [](std::string_view words) {
    while (!words.empty() && words.front() == ' ') words.remove_prefix(1);
    while (!words.empty() && words.back() == ' ') words.remove_suffix(1);
    return words;
  };
  if (!items(said, "loadBalancerSourceRanges").empty()) {
    if (!balancer) report.forbidden(ranges, "may only be used when `type` is 'LoadBalancer'");
    std::size_t i = 0;
    for (const auto& item : items(said, "loadBalancerSourceRanges")) {
      const auto range = item.is_string() ? trim(view(item.get_string())) : std::string_view();
      report.check(ranges.item(i++), range, checkCidr(range));
    }
  } else if (const auto* note = find(object, {"metadata", "annotations", kRanges});
             note != nullptr && note->is_string()) {
    const FieldPath root;
    const auto notes = root.path("metadata.annotations");
    if (!balancer) report.forbidden(notes.key(kRanges), "may only be used when `type` is 'LoadBalancer'");
    for (auto rest = trim(view(note->get_string())); !rest.empty();) {
      const auto range = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), range.size() + 1));
      if (checkCidr(trim(range))) {
        report.invalid(notes.key(kRanges), *note,
                       "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24");
        break;
      }
    }
  }
  if (balancer != (given(said, "allocateLoadBalancerNodePorts") != nullptr)) {
    const auto here = spec.field("allocateLoadBalancerNodePorts");
    if (balancer) report.required(here);
    else report.forbidden(here, "may only be used when `type` is 'LoadBalancer'");
  }
  if (given(said, "loadBalancerClass") == nullptr) return;
  if (balancer) report.check(spec.field("loadBalancerClass"), text(said, "loadBalancerClass"), checkQualifiedName);
  else report.forbidden(spec.field("loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'");
}

void checkTraffic(const FieldPath& spec, const json::object& said, std::string_view type, RuleReport& report) {
  const auto policy = text(said, "externalTrafficPolicy");
  const bool outside =
      isOneOf(type, {"NodePort", "LoadBalancer"}) || (type == "ClusterIP" && !items(said, "externalIPs").empty());
  const auto here = spec.field("externalTrafficPolicy");
  if (outside) checkEnum(here, policy, {"Cluster", "Local"}, report, Empty::required);
  else if (!policy.empty()) report.invalid(here, quoted(policy), "may only be set for externally-accessible services");
  const auto health = number(said, "healthCheckNodePort");
  const bool checked = type == "LoadBalancer" && policy == "Local";
  if (health < 0 || (health > 0 && !checked))
    report.invalid(spec.field("healthCheckNodePort"), health,
                   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  if (given(said, "internalTrafficPolicy") != nullptr)
    checkEnum(spec.field("internalTrafficPolicy"), text(said, "internalTrafficPolicy"), {"Cluster", "Local"}, report,
              Empty::unsupported);
  if (given(said, "trafficDistribution") != nullptr)
    checkEnum(spec.field("trafficDistribution"), text(said, "trafficDistribution"),
              {"PreferClose", "PreferSameNode", "PreferSameZone"}, report, Empty::unsupported);
}

void checkEndpointAddressItem(const FieldPath& here, const json::object& address, RuleReport& report) {
  report.check(here.field("ip"), text(address, "ip"), checkEndpointAddress(text(address, "ip")));
  if (const auto host = text(address, "hostname"); !host.empty())
    report.check(here.field("hostname"), host, checkDns1123Label);
  if (given(address, "nodeName") != nullptr)
    report.check(here.field("nodeName"), text(address, "nodeName"), checkDns1123Subdomain);
}

void checkHints(const FieldPath& at, const json::object& endpoint, RuleReport& report) {
  constexpr std::size_t kMost = 8;
  const auto* hints = part(endpoint, "hints");
  if (hints == nullptr) return;
  for (const auto* list : {"forZones", "forNodes"}) {
    if (items(*hints, list).size() > kMost) report.tooMany(at.field(list), kMost);
    std::set<std::string, std::less<>> names;
    eachObject(at, *hints, list, [&](const FieldPath& here, const json::object& hint) {
      const auto name = text(hint, "name");
      const bool node = std::string_view(list) == "forNodes";
      if (!names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
      else if (node) report.check(here.field("name"), name, checkDns1123Subdomain);
      else report.check(here.field("name"), name, checkLabelValue);
    });
  }
}

NameProblem checkSliceAddress(std::string_view type, std::string_view address) {
  if (type == "FQDN") return checkDns1123Subdomain(address);
  if (type == "IPv4" && (!isAddress(address) || isIpv6(address))) return "must be a valid IPv4 address";
  if (type == "IPv6" && (!isAddress(address) || !isIpv6(address))) return "must be a valid IPv6 address";
  return isOneOf(type, {"IPv4", "IPv6"}) ? checkEndpointAddress(address) : std::nullopt;
}

}  // namespace

void checkPortNumber(const FieldPath& at, const json::value* value, RuleReport& report) {
  const auto n = value == nullptr ? std::nullopt : asInt(*value);
  if (n && (*n < 1 || *n > 65535)) report.invalid(at, *value, "must be between 1 and 65535, inclusive");
}

void checkService(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  const auto type = text(said, "type");
  const bool headless = text(said, "clusterIP") == "None";
  if (items(said, "ports").empty() && !headless && type != "ExternalName") report.required(spec.field("ports"));
  checkEnum(spec.field("type"), type, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}, report,
            Empty::required);
  if (type == "ExternalName") {
    auto name = text(said, "externalName");
    if (name.empty()) report.required(spec.field("externalName"));
    if (name.ends_with('.')) name.remove_suffix(1);
    if (!name.empty()) report.check(spec.field("externalName"), name, checkDns1123Subdomain);
  }
  checkServicePorts(spec, said, type, report);
  checkLabels(spec.field("selector"), members(said, "selector"), report);
  checkAffinityConfig(spec, said, report);
  checkClusterAddresses(spec, said, type, report);
  eachText(spec, said, "externalIPs", [&](const FieldPath& here, std::string_view address) {
    report.check(here, address, checkEndpointAddress(address));
  });
  checkBalancer(spec, object, said, type == "LoadBalancer", report);
  checkTraffic(spec, said, type, report);
}

void checkEndpoints(const json::object& object, RuleReport& report) {
  const FieldPath root;
  eachObject(root, object, "subsets", [&](const FieldPath& at, const json::object& subset) {
    if (items(subset, "addresses").empty() && items(subset, "notReadyAddresses").empty())
      report.required(at, "must specify `addresses` or `notReadyAddresses`");
    for (const auto* list : {"addresses", "notReadyAddresses"})
      eachObject(at, subset, list, [&](const FieldPath& here, const json::object& address) {
        checkEndpointAddressItem(here, address, report);
      });
    const bool many = items(subset, "ports").size() > 1;
    eachObject(at, subset, "ports", [&](const FieldPath& here, const json::object& port) {
      const auto name = text(port, "name");
      if (name.empty() && many) report.required(here.field("name"));
      if (!name.empty()) report.check(here.field("name"), name, checkDns1123Label);
      const json::value none = 0;
      const auto* n = given(port, "port");
      checkPortNumber(here.field("port"), n == nullptr ? &none : n, report);
      checkEnum(here.field("protocol"), text(port, "protocol"), kProtocols, report, Empty::required);
      if (given(port, "appProtocol") != nullptr)
        report.check(here.field("appProtocol"), text(port, "appProtocol"), checkQualifiedName);
    });
  });
}

void checkEndpointSlice(const json::object& object, RuleReport& report) {
  constexpr std::size_t kMostEndpoints = 1000;
  constexpr std::size_t kMostAddresses = 100;
  constexpr std::size_t kMostPorts = 20000;
  const FieldPath root;
  const auto type = text(object, "addressType");
  checkEnum(root.field("addressType"), type, {"FQDN", "IPv4", "IPv6"}, report, Empty::required);
  if (items(object, "endpoints").size() > kMostEndpoints) report.tooMany(root.field("endpoints"), kMostEndpoints);
  if (items(object, "ports").size() > kMostPorts) report.tooMany(root.field("ports"), kMostPorts);
  eachObject(root, object, "endpoints", [&](const FieldPath& at, const json::object& endpoint) {
    const auto& addresses = items(endpoint, "addresses");
    if (addresses.empty()) report.required(at.field("addresses"), "must contain at least 1 address");
    else if (addresses.size() > kMostAddresses) report.tooMany(at.field("addresses"), kMostAddresses);
    eachText(at, endpoint, "addresses", [&](const FieldPath& here, std::string_view address) {
      report.check(here, address, checkSliceAddress(type, address));
    });
    if (given(endpoint, "nodeName") != nullptr)
      report.check(at.field("nodeName"), text(endpoint, "nodeName"), checkDns1123Subdomain);
    checkLabels(at.field("deprecatedTopology"), members(endpoint, "deprecatedTopology"), report);
    if (given(endpoint, "hostname") != nullptr)
      report.check(at.field("hostname"), text(endpoint, "hostname"), checkDns1123Label);
    checkHints(at.field("hints"), endpoint, report);
  });
  std::set<std::string, std::less<>> names;
  eachObject(root, object, "ports", [&](const FieldPath& at, const json::object& port) {
    const auto name = text(port, "name");
    if (!names.emplace(name).second) report.duplicate(at.field("name"), quoted(name));
    if (!name.empty()) report.check(at.field("name"), name, checkDns1123Label);
    checkEnum(at.field("protocol"), text(port, "protocol"), kProtocols, report, Empty::unsupported);
    if (given(port, "appProtocol") != nullptr)
      report.check(at.field("appProtocol"), text(port, "appProtocol"), checkQualifiedName);
  });
}

}  // namespace steer
