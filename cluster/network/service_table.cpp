#include "cluster/network/service_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cluster/network/cidr.h"

namespace steer {
namespace {

constexpr std::string_view sliceResource = "endpointslices.discovery.k8s.io";

/// What one endpoint of one slice offers for one service port.
struct Candidate {
  Endpoint endpoint;
  bool ready = true;
  bool lastResort = false;  ///< terminating, yet still serving
  bool local = false;
};

std::optional<Protocol> protocolOf(std::string_view text) {
  if (text == "TCP" || text.empty()) return Protocol::tcp;
  if (text == "UDP") return Protocol::udp;
  if (text == "SCTP") return Protocol::sctp;
  return std::nullopt;
}

std::uint16_t portNumber(std::int64_t n) {
  return n > 0 && n <= 65535 ? static_cast<std::uint16_t>(n) : std::uint16_t{0};
}

void addCandidates(const Object& slice, std::string_view portName, Protocol protocol, std::string_view nodeName,
                   std::vector<Candidate>& out) {
  if (stringAt(slice.json(), {"addressType"}) != "IPv4") return;
  std::uint16_t port = 0;
  for (const auto& p : arrayAt(slice.json(), {"ports"}))
    if (stringAt(p, {"name"}) == portName && protocolOf(stringAt(p, {"protocol"})) == protocol)
      port = portNumber(intAt(p, {"port"}));
  if (port == 0) return;
  for (const auto& e : arrayAt(slice.json(), {"endpoints"})) {
    const auto& addresses = arrayAt(e, {"addresses"});
    if (addresses.empty() || !addresses[0].is_string()) continue;
    const std::string_view ip = view(addresses[0].get_string());
    if (!parseIpv4(ip)) continue;
    const bool ready = boolAt(e, {"conditions", "ready"}, true);
    const bool terminating = boolAt(e, {"conditions", "terminating"}, false);
    const bool serving = boolAt(e, {"conditions", "serving"}, ready);
    const bool local = !nodeName.empty() && stringAt(e, {"nodeName"}) == nodeName;
    out.push_back({{std::string(ip), port}, ready && !terminating, terminating && serving, local});
  }
}

/// Ready endpoints; where there are none, those that terminate but still serve.
std::vector<Endpoint> choose(const std::vector<Candidate>& candidates, bool localOnly) {
  std::vector<Endpoint> ready, lastResort;
  for (const auto& c : candidates) {
    if (localOnly && !c.local) continue;
    if (c.ready) ready.push_back(c.endpoint);
    if (c.lastResort) lastResort.push_back(c.endpoint);
  }
  auto& chosen = ready.empty() ? lastResort : ready;
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return std::move(chosen);
}

std::vector<std::string> localAddresses(const std::vector<Candidate>& candidates, const ServicePort& port) {
  std::vector<std::string> out;
  const auto used = [](const std::vector<Endpoint>& list, const Endpoint& e) {
    return std::binary_search(list.begin(), list.end(), e);
  };
  for (const auto& c : candidates)
    if (c.local && (used(port.inside, c.endpoint) || used(port.outside, c.endpoint))) out.push_back(c.endpoint.ip);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> externalAddresses(const Object& service) {
  std::vector<std::string> out;
  const auto add = [&out](std::string_view ip) {
    if (parseIpv4(ip)) out.emplace_back(ip);
  };
  for (const auto& ip : arrayAt(service.spec(), {"externalIPs"}))
    if (ip.is_string()) add(view(ip.get_string()));
  for (const auto& ingress : arrayAt(service.status(), {"loadBalancer", "ingress"})) add(stringAt(ingress, {"ip"}));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::uint32_t affinityOf(const Object& service) {
  if (stringAt(service.spec(), {"sessionAffinity"}) != "ClientIP") return 0;
  const auto seconds = intAt(service.spec(), {"sessionAffinityConfig", "clientIP", "timeoutSeconds"}, 10800);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, 86400));
}

ServicePort entryOf(const Object& service, const json::value& p, Protocol protocol,
                    const std::vector<ObjectPtr>& slices, std::string_view nodeName) {
  const std::string_view portName = stringAt(p, {"name"});
  ServicePort entry;
  entry.service = service.ns() + "/" + service.name() + ":" + std::string(portName);
  entry.protocol = protocol;
  entry.port = portNumber(intAt(p, {"port"}));
  entry.nodePort = portNumber(intAt(p, {"nodePort"}));
  entry.clusterIp = stringAt(service.spec(), {"clusterIP"});
  entry.externalIps = externalAddresses(service);
  entry.affinitySeconds = affinityOf(service);
  entry.insideLocal = stringAt(service.spec(), {"internalTrafficPolicy"}) == "Local";
  entry.outsideLocal = stringAt(service.spec(), {"externalTrafficPolicy"}) == "Local";
  std::vector<Candidate> candidates;
  for (const auto& slice : slices)
    if (slice->ns() == service.ns()) addCandidates(*slice, portName, protocol, nodeName, candidates);
  entry.anyEndpoint = !choose(candidates, false).empty();
  entry.inside = choose(candidates, entry.insideLocal);
  entry.outside = choose(candidates, entry.outsideLocal);
  entry.onThisNode = localAddresses(candidates, entry);
  return entry;
}

}  // namespace

std::string_view protocolText(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
  }
  return "tcp";
}

ServiceTable buildServiceTable(const Snapshot& snapshot, std::string_view nodeName) {
  ServiceTable table;
  snapshot.each("services", "", [&](const ObjectPtr& service) {
    if (stringAt(service->spec(), {"type"}) == "ExternalName") return;
    if (!parseIpv4(stringAt(service->spec(), {"clusterIP"}))) return;  // "None": names only
    const auto slices = snapshot.labelled(sliceResource, "kubernetes.io/service-name", service->name());
    for (const auto& p : arrayAt(service->spec(), {"ports"}))
      if (const auto protocol = protocolOf(stringAt(p, {"protocol"})); protocol && portNumber(intAt(p, {"port"})) != 0)
        table.ports.push_back(entryOf(*service, p, *protocol, slices, nodeName));
  });
  return table;
}

}  // namespace steer
