#include "cluster/apiserver/bootstrap.h"

#include <tuple>

#include "cluster/apiserver/default_roles.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/apiserver/service_addresses.h"
#include "cluster/apiserver/standing_accounts.h"
#include "core/log.h"
#include "schemas/rules/addresses.h"

namespace steer {
namespace {

constexpr const char* kName = "kubernetes";
constexpr const char* kNs = "default";

json::object named(std::string apiVersion, std::string kind, const std::string& ns, const std::string& name) {
  json::object meta{{"name", name}};
  if (!ns.empty()) meta["namespace"] = ns;
  return {{"apiVersion", std::move(apiVersion)}, {"kind", std::move(kind)}, {"metadata", std::move(meta)}};
}

json::object service(const ServerParts& parts) {
  auto out = named("v1", "Service", kNs, kName);
  out["metadata"].get_object()["labels"] = {{"component", "apiserver"}, {"provider", "kubernetes"}};
  out["spec"] = {
      {"clusterIP", addressesOf(parts.options.serviceCidr).first()},
      {"ports",
       json::array{json::object{
           {"name", "https"}, {"protocol", "TCP"}, {"port", 443}, {"targetPort", parts.options.advertisePort}}}}};
  return out;
}

json::object endpoints(const ServerParts& parts) {
  auto out = named("v1", "Endpoints", kNs, kName);
  out["metadata"].get_object()["labels"] = {{"endpointslice.kubernetes.io/skip-mirror", "true"}};
  out["subsets"] = json::array{json::object{
      {"addresses", json::array{json::object{{"ip", parts.options.advertiseAddress}}}},
      {"ports",
       json::array{json::object{{"name", "https"}, {"port", parts.options.advertisePort}, {"protocol", "TCP"}}}}}};
  return out;
}

json::object endpointSlice(const ServerParts& parts) {
  auto out = named("discovery.k8s.io/v1", "EndpointSlice", kNs, kName);
  out["metadata"].get_object()["labels"] = {{"kubernetes.io/service-name", kName}};
  out["addressType"] = "IPv4";
  out["endpoints"] = json::array{json::object{{"addresses", json::array{json::value(parts.options.advertiseAddress)}},
                                              {"conditions", {{"ready", true}}}}};
  out["ports"] =
      json::array{json::object{{"name", "https"}, {"port", parts.options.advertisePort}, {"protocol", "TCP"}}};
  return out;
}

/// Created when missing; replaced when what matters about it differs.
void ensure(ServerParts& parts, const std::string& resource, json::object body) {
  Write create = Write::create(resource, body);
  const auto live = parts.store.snapshot().get(create.target);
  if (live != nullptr) {
    bool same = true;
    for (const auto& [key, value] : body) {
      const auto* now = live->json().if_contains(key);
      same = same && (key == "metadata" || key == "spec" || (now != nullptr && *now == value));
    }
    if (same) return;
    create.verb = Write::Verb::update;
  }
  const auto done = parts.executor.run(create, {}, systemIdentity("system:apiserver"));
  if (!done.ok())
    log::error("cannot make a standing object", {{"object", create.target.text()}, {"error", done.error().message}});
}

/// The default roles and bindings: made when missing, and brought to this version's content unless their annotation
/// says that somebody else keeps them. One transaction for all.
void ensureRoles(ServerParts& parts) {
  const Snapshot view = parts.store.snapshot();
  std::vector<Write> writes;
  for (auto& [resource, body] : defaultRoles()) {
    Write write = Write::create(resource, std::move(body));
    const auto& wanted = write.body.get_object();
    if (const auto live = view.get(write.target)) {
      const bool ours =
          stringAt(live->metadata(), {"annotations", "rbac.authorization.kubernetes.io/autoupdate"}) == "true";
      const bool same = wanted.contains("aggregationRule") || !wanted.contains("rules") ||
                        *live->json().if_contains("rules") == wanted.at("rules");
      if (!ours || same) continue;
      write.verb = Write::Verb::update;
    }
    writes.push_back(std::move(write));
  }
  if (writes.empty()) return;
  for (const auto& done : parts.executor.runAll(writes, {}, OnError::proceed, systemIdentity("system:apiserver")))
    if (!done.ok()) log::error("cannot make a default role", {{"error", done.error().message}});
}

}  // namespace

void makeStandingObjects(ServerParts& parts) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"})
    ensure(parts, "namespaces", named("v1", "Namespace", "", name));
  // Also in namespaces from before accounts came with them.
  for (const auto& ns : parts.store.snapshot().list("namespaces"))
    if (!ns->deleting() && parts.store.snapshot().get("serviceaccounts", ns->name(), "default") == nullptr)
      ensure(parts, "serviceaccounts", defaultAccountOf(ns->name()));
  ensureRoles(parts);
  for (const auto& [name, value, what] : {std::tuple{"system-cluster-critical", 2000000000, "cluster"},
                                          std::tuple{"system-node-critical", 2000001000, "node"}}) {
    auto body = named("scheduling.k8s.io/v1", "PriorityClass", "", name);
    body["value"] = value;
    body["description"] = std::string("Used for system critical pods that must run in the cluster") +
                          (what == std::string_view("cluster") ? ", but can be moved to another node if necessary."
                                                               : " and must not be moved from their current node.");
    ensure(parts, "priorityclasses.scheduling.k8s.io", std::move(body));
  }
  ensure(parts, "services", service(parts));
  // An address of this machine alone is no endpoint: pods would reach themselves.
  if (checkEndpointAddress(parts.options.advertiseAddress)) return;
  ensure(parts, "endpoints", endpoints(parts));
  ensure(parts, "endpointslices.discovery.k8s.io", endpointSlice(parts));
}

}  // namespace steer
