// Ingresses, ingress classes and network policies.
#include "schemas/rules/addresses.h"
#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

/// A name, or "*." before one.
NameProblem checkHost(std::string_view host) {
  if (!host.starts_with("*.")) {
    if (host.find('*') != std::string_view::npos)
      return "a wildcard must be the whole first label, as in '*.example.com'";
    return checkDns1123Subdomain(host);
  }
  return checkDns1123Subdomain(host.substr(2));
}

void checkHostAt(const FieldPath& at, std::string_view host, RuleReport& report) {
  if (host.find("://") != std::string_view::npos || host.find(':') != std::string_view::npos)
    report.invalid(at, quoted(host), "must be a DNS name, without scheme and port");
  else if (isAddress(host)) report.invalid(at, quoted(host), "must be a DNS name, not an IP address");
  else report.check(at, host, checkHost);
}

void checkResourceBackend(const FieldPath& at, const json::object& resource, RuleReport& report) {
  if (given(resource, "apiGroup") != nullptr)
    report.check(at.field("apiGroup"), text(resource, "apiGroup"), checkDns1123Subdomain);
  for (const auto* field : {"kind", "name"})
    if (checkPresent(at, resource, field, report))
      report.check(at.field(field), text(resource, field), checkPathSegment);
}

void checkBackend(const FieldPath& at, const json::object& backend, RuleReport& report) {
  const auto* service = part(backend, "service");
  const auto* resource = part(backend, "resource");
  if (service != nullptr && resource != nullptr)
    return report.invalid(at, "", "cannot set both resource and service backends");
  const auto inside = at.field("resource");
  if (resource != nullptr) return checkResourceBackend(inside, *resource, report);
  if (service == nullptr) {
    const bool old = backend.contains("serviceName") || backend.contains("servicePort");
    return report.invalid(at, "",
                          old ? "of networking.k8s.io/v1 is service: {name: …, port: {number: …}}"
                              : "resource or service backend is required",
                          "write service: {name: …, port: {number: …}}");
  }
  const auto here = at.field("service");
  const auto port = here.field("port");
  if (checkPresent(here, *service, "name", report))
    report.check(here.field("name"), text(*service, "name"), checkDns1035Label);
  const auto name = stringAt(*service, {"port", "name"});
  const auto number = intAt(*service, {"port", "number"});
  if (!name.empty() && number != 0) report.invalid(at, "", "cannot set both port name & port number");
  else if (name.empty() && number == 0) report.required(at, "port name or number is required");
  else if (!name.empty()) report.check(port.field("name"), name, checkPortName);
  else checkPortNumber(port.field("number"), find(*service, {"port", "number"}), report);
}

void checkIngressPath(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto here = at.field("path");
  const auto path = text(said, "path");
  const auto type = text(said, "pathType");
  if (given(said, "pathType") == nullptr) return report.required(at.field("pathType"), "pathType must be specified");
  if (type == "Exact" || type == "Prefix") {
    if (!path.starts_with('/')) report.invalid(here, quoted(path), "must be an absolute path", "begin it with \"/\"");
    for (const std::string_view piece : {"//", "/./", "/../", "%2f", "%2F"})
      if (path.find(piece) != std::string_view::npos)
        report.invalid(here, quoted(path), "must not contain '" + std::string(piece) + "'");
    for (const std::string_view end : {"/..", "/."})
      if (path.ends_with(end)) report.invalid(here, quoted(path), "cannot end with '" + std::string(end) + "'");
  } else if (type == "ImplementationSpecific") {
    if (!path.empty() && !path.starts_with('/'))
      report.invalid(here, quoted(path), "must be an absolute path", "begin it with \"/\"");
  } else {
    report.unsupported(at.field("pathType"), quoted(type), {"Exact", "ImplementationSpecific", "Prefix"});
  }
  const auto backend = at.field("backend");
  checkBackend(backend, members(said, "backend"), report);
}

void checkIngressRule(const FieldPath& at, const json::object& rule, RuleReport& report) {
  if (const auto host = text(rule, "host"); !host.empty()) checkHostAt(at.field("host"), host, report);
  const auto* http = part(rule, "http");
  if (http == nullptr) return;
  const auto inside = at.field("http");
  if (items(*http, "paths").empty()) report.required(inside.field("paths"));
  eachObject(inside, *http, "paths",
             [&](const FieldPath& here, const json::object& path) { checkIngressPath(here, path, report); });
}

void checkPolicyPort(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto* port = given(said, "port");
  const auto end = at.field("endPort");
  if (given(said, "protocol") != nullptr)
    checkEnum(at.field("protocol"), text(said, "protocol"), {"SCTP", "TCP", "UDP"}, report, Empty::unsupported);
  if (port != nullptr) checkPort(at.field("port"), port, report);
  const auto* last = given(said, "endPort");
  const auto n = last == nullptr ? std::nullopt : asInt(*last);
  if (!n) return;
  if (port == nullptr) return report.invalid(end, *last, "may not be specified when `port` is not specified");
  if (port->is_string()) return report.invalid(end, *last, "may not be specified when `port` is non-numeric");
  if (const auto first = asInt(*port); first && *n < *first)
    report.invalid(end, *last, "must be greater than or equal to `port`");
  checkPortNumber(end, last, report);
}

void checkBlock(const FieldPath& at, const json::object& block, RuleReport& report) {
  const auto words = text(block, "cidr");
  const auto range = prefixOf(words);
  const auto cidr = at.field("cidr");
  if (words.empty()) return report.required(cidr);
  if (!range)
    return report.invalid(cidr, quoted(words), *checkCidr(words),
                          isAddress(words) ? "write \"" + std::string(words) + (isIpv6(words) ? "/128\"" : "/32\"") +
                                                 " for this address alone"
                                           : "");
  eachText(at, block, "except", [&](const FieldPath& here, std::string_view item) {
    const auto inner = prefixOf(item);
    if (!inner) report.invalid(here, quoted(item), *checkCidr(item));
    else if (!range->contains(*inner) || inner->prefix == range->prefix)
      report.invalid(here, quoted(item), "must be a strict subset of `cidr`");
  });
}

void checkPeer(const FieldPath& at, const json::object& peer, RuleReport& report) {
  const bool pods = part(peer, "podSelector") != nullptr;
  const bool namespaces = part(peer, "namespaceSelector") != nullptr;
  const auto* block = part(peer, "ipBlock");
  checkLabelSelector(at.field("podSelector"), given(peer, "podSelector"), report);
  checkLabelSelector(at.field("namespaceSelector"), given(peer, "namespaceSelector"), report);
  const auto here = at.field("ipBlock");
  if (block != nullptr) checkBlock(here, *block, report);
  if (!pods && !namespaces && block == nullptr)
    report.required(at, "must specify a peer: podSelector, namespaceSelector or ipBlock");
  else if (block != nullptr && (pods || namespaces))
    report.forbidden(at, "may not specify both ipBlock and another peer: write two peers");
}

void checkDirection(const FieldPath& spec, const json::object& said, const char* direction, const char* peers,
                    RuleReport& report) {
  eachObject(spec, said, direction, [&](const FieldPath& at, const json::object& rule) {
    eachObject(at, rule, "ports",
               [&](const FieldPath& here, const json::object& port) { checkPolicyPort(here, port, report); });
    eachObject(at, rule, peers,
               [&](const FieldPath& here, const json::object& peer) { checkPeer(here, peer, report); });
  });
}

}  // namespace

void checkIngress(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  const auto* backend = part(said, "defaultBackend");
  if (items(said, "rules").empty() && backend == nullptr)
    report.invalid(spec, nullptr, "either `defaultBackend` or `rules` must be specified");
  const auto here = spec.field("defaultBackend");
  if (backend != nullptr) checkBackend(here, *backend, report);
  eachObject(spec, said, "rules",
             [&](const FieldPath& at, const json::object& rule) { checkIngressRule(at, rule, report); });
  eachObject(spec, said, "tls", [&](const FieldPath& at, const json::object& tls) {
    eachText(at, tls, "hosts",
             [&](const FieldPath& place, std::string_view host) { checkHostAt(place, host, report); });
    if (const auto name = text(tls, "secretName"); !name.empty())
      report.check(at.field("secretName"), name, checkDns1123Subdomain);
  });
  if (given(said, "ingressClassName") != nullptr)
    report.check(spec.field("ingressClassName"), text(said, "ingressClassName"), checkDns1123Subdomain);
}

void checkIngressClass(const json::object& object, RuleReport& report) {
  constexpr std::size_t kLongest = 250;
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  const auto controller = text(said, "controller");
  const auto here = spec.field("controller");
  if (controller.size() > kLongest) report.tooLong(here, "may not be more than 250 bytes");
  if (controller.empty()) report.required(here);
  else report.check(here, controller, checkDomainPath(controller));
  const auto* parameters = part(said, "parameters");
  if (parameters == nullptr) return;
  const auto at = spec.field("parameters");
  checkResourceBackend(at, *parameters, report);
  const auto* scope = given(*parameters, "scope");
  if (scope == nullptr) return report.required(at.field("scope"));
  checkEnum(at.field("scope"), text(*parameters, "scope"), {"Cluster", "Namespace"}, report, Empty::unsupported);
  const auto* ns = given(*parameters, "namespace");
  if (text(*parameters, "scope") == "Namespace") {
    if (ns == nullptr) report.required(at.field("namespace"), "`parameters.scope` is set to 'Namespace'");
    else report.check(at.field("namespace"), text(*parameters, "namespace"), checkDns1123Label);
  } else if (ns != nullptr) {
    report.forbidden(at.field("namespace"), "`parameters.scope` is set to 'Cluster'");
  }
}

void checkNetworkPolicy(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  checkLabelSelector(spec.field("podSelector"), given(said, "podSelector"), report);
  checkDirection(spec, said, "ingress", "from", report);
  checkDirection(spec, said, "egress", "to", report);
  const auto types = spec.field("policyTypes");
  if (items(said, "policyTypes").size() > 2)
    return report.invalid(types, nullptr, "may not specify more than two policyTypes");
  eachText(spec, said, "policyTypes", [&](const FieldPath& here, std::string_view type) {
    checkEnum(here, type, {"Egress", "Ingress"}, report, Empty::unsupported);
  });
}

}  // namespace steer
