// Services, endpoints, network policies.
#include "schemas/default_rules.h"

namespace steer {

void defaultServiceSpec(json::object& spec) {
  setIfZero(spec, "sessionAffinity", "None");
  setIfZero(spec, "type", "ClusterIP");
  const std::string type(stringAt(spec, {"type"}));
  if (stringAt(spec, {"sessionAffinity"}) == "None") {
    spec.stable_erase("sessionAffinityConfig");
  } else {
    setIfAbsent(ensureObject(ensureObject(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", 10800);
  }
  if (type == "ExternalName") return;
  setIfAbsent(spec, "internalTrafficPolicy", "Cluster");
  setIfAbsent(spec, "ipFamilyPolicy", "SingleStack");
  setIfAbsent(spec, "ipFamilies", json::array{"IPv4"});
  const bool external = type == "NodePort" || type == "LoadBalancer" || !arrayAt(spec, {"externalIPs"}).empty();
  if (external) setIfZero(spec, "externalTrafficPolicy", "Cluster");
  if (type == "LoadBalancer") setIfAbsent(spec, "allocateLoadBalancerNodePorts", true);
}

void defaultServicePort(json::object& port) {
  setIfZero(port, "protocol", "TCP");
  if (isZero(port, "targetPort") && port.contains("port")) port["targetPort"] = port["port"];
}

void defaultEndpointPort(json::object& port) { setIfZero(port, "protocol", "TCP"); }

void defaultSliceEndpoint(json::object& endpoint) { setIfAbsent(endpoint, "conditions", json::object()); }

void defaultEndpointSlicePort(json::object& port) {
  setIfAbsent(port, "name", "");
  setIfAbsent(port, "protocol", "TCP");
}

void defaultNetworkPolicySpec(json::object& spec) {
  setIfAbsent(spec, "podSelector", json::object());  // all pods
  if (!arrayAt(spec, {"policyTypes"}).empty()) return;
  json::array types{"Ingress"};
  if (!arrayAt(spec, {"egress"}).empty()) types.emplace_back("Egress");
  spec["policyTypes"] = std::move(types);
}

void defaultNetworkPolicyPort(json::object& port) { setIfAbsent(port, "protocol", "TCP"); }

}  // namespace steer
