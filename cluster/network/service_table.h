#pragma once
// ServiceTable: what the services of a cluster mean to one node's packets, as a value: for each
// service port its addresses and the endpoints that answer there. Rules of choice follow the
// documentation of EndpointSlice conditions and of Service traffic policies.
// Thread rule: plain values.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/snapshot.h"

namespace steer {

enum class Protocol { tcp, udp, sctp };
std::string_view protocolText(Protocol protocol);  ///< "tcp"

struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

/// One port of one service.
struct ServicePort {
  std::string service;  ///< "shop/web:http"
  Protocol protocol = Protocol::tcp;
  std::uint16_t port = 0;
  std::uint16_t nodePort = 0;  ///< 0 = none
  std::string clusterIp;
  std::vector<std::string> externalIps;  ///< spec.externalIPs and load balancer addresses
  std::vector<Endpoint> inside;          ///< who answers at the ClusterIP, sorted
  std::vector<Endpoint> outside;         ///< who answers at node ports and external addresses, sorted
  std::vector<std::string> onThisNode;   ///< addresses among them that live on this node (hairpin)
  bool insideLocal = false;              ///< internalTrafficPolicy: Local
  bool outsideLocal = false;             ///< externalTrafficPolicy: Local (client address is kept)
  bool anyEndpoint = false;              ///< somewhere; false = refuse, true without local ones = drop
  std::uint32_t affinitySeconds = 0;     ///< sessionAffinity ClientIP; 0 = none
  bool operator==(const ServicePort&) const = default;
};

struct ServiceTable {
  std::vector<ServicePort> ports;  ///< in (namespace, name, port) order
  bool operator==(const ServiceTable&) const = default;
};

/// From resources "services" and "endpointslices.discovery.k8s.io". An empty nodeName is a proxy
/// that stands on no node: policies Local then find no local endpoint.
ServiceTable buildServiceTable(const Snapshot& snapshot, std::string_view nodeName);

}  // namespace steer
