// Ingresses and network policies.
#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>

#include "schemas/rules.h"

namespace steer {
namespace {

struct Cidr {
  std::array<unsigned char, 16> bytes{};
  unsigned size = 4;  ///< of the address, bytes
  unsigned prefix = 0;

  bool contains(const Cidr& other) const {
    if (size != other.size || other.prefix < prefix) return false;
    for (unsigned bit = 0; bit < prefix; ++bit) {
      const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
      if (((bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
  }
};

std::optional<Cidr> cidrOf(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string address(text.substr(0, slash));
  const auto length = text.substr(slash + 1);
  Cidr out;
  out.size = address.find(':') == std::string::npos ? 4 : 16;
  if (::inet_pton(out.size == 4 ? AF_INET : AF_INET6, address.c_str(), out.bytes.data()) != 1) return std::nullopt;
  const auto [end, ec] = std::from_chars(length.data(), length.data() + length.size(), out.prefix);
  if (ec != std::errc{} || end != length.data() + length.size() || out.prefix > out.size * 8) return std::nullopt;
  return out;
}

bool isAddress(std::string_view text) { return !checkAddress(text); }

NameProblem checkHost(std::string_view host) {
  if (host.starts_with("*.")) host.remove_prefix(2);
  else if (host.find('*') != std::string_view::npos)
    return "a wildcard must be the whole first label, as in '*.example.com'";
  return checkDns1123Subdomain(host);
}

void checkHostAt(const FieldPath& at, std::string_view host, RuleReport& report) {
  if (host.find("://") != std::string_view::npos || host.find(':') != std::string_view::npos)
    report.invalid(at, json::value(jkey(host)), "must be a DNS name, without scheme and port");
  else if (isAddress(host)) report.invalid(at, json::value(jkey(host)), "must be a DNS name, not an IP address");
  else report.check(at, host, checkHost);
}

void checkBackend(const FieldPath& at, const json::value* backend, RuleReport& report) {
  if (backend == nullptr || !backend->is_object()) return;
  const auto here = at.field("service");
  const auto* service = find(*backend, {"service"});
  const bool byService = service != nullptr && service->is_object();
  const auto* resource = find(*backend, {"resource"});
  const bool byResource = resource != nullptr && resource->is_object();
  if (byService && byResource) report.invalid(at, nullptr, "cannot set both resource and service backends");
  if (!byService && !byResource) {
    const auto& said = backend->get_object();
    const bool old = said.contains("serviceName") || said.contains("servicePort");
    report.required(at, old ? "of networking.k8s.io/v1 is service: {name: …, port: {number: …}}"
                            : "must specify service: {name: …, port: {number: …}}");
  }
  if (!byService) return;
  if (const auto name = stringAt(*service, {"name"}); !name.empty())
    report.check(here.field("name"), name, checkDns1035Label);
  else if (service->get_object().contains("name")) report.required(here.field("name"));
  const auto port = here.field("port");
  const auto name = stringAt(*service, {"port", "name"});
  const auto number = intAt(*service, {"port", "number"});
  if (!name.empty() && number != 0) report.invalid(port, nullptr, "cannot set both port name & port number");
  else if (name.empty() && number == 0) report.required(port, "port name or number is required");
  else if (!name.empty()) report.check(port.field("name"), name, checkPortName);
  else checkPortNumber(port.field("number"), find(*service, {"port", "number"}), report);
}

void checkIngressPath(const FieldPath& at, const json::value& said, RuleReport& report) {
  const auto here = at.field("path");
  const auto path = stringAt(said, {"path"});
  const auto type = stringAt(said, {"pathType"});
  const json::value quoted{jkey(path)};
  if (type == "Exact" || type == "Prefix") {
    if (!path.starts_with('/')) report.invalid(here, quoted, "must be an absolute path", "begin it with \"/\"");
    for (const std::string_view part : {"//", "/./", "/../", "%2f", "%2F"})
      if (path.find(part) != std::string_view::npos)
        report.invalid(here, quoted, "must not contain '" + std::string(part) + "'");
    for (const std::string_view end : {"/..", "/."})
      if (path.ends_with(end)) report.invalid(here, quoted, "cannot end with '" + std::string(end) + "'");
  } else if (!path.empty() && !path.starts_with('/')) {
    report.invalid(here, quoted, "must be an absolute path", "begin it with \"/\"");
  }
  checkBackend(at.field("backend"), find(said, {"backend"}), report);
}

void checkIngressRule(const FieldPath& at, const json::value& rule, RuleReport& report) {
  if (const auto host = stringAt(rule, {"host"}); !host.empty()) checkHostAt(at.field("host"), host, report);
  const auto* http = find(rule, {"http"});
  if (http == nullptr || !http->is_object()) return;
  const auto inside = at.field("http");
  const auto paths = inside.field("paths");
  const auto* list = find(*http, {"paths"});
  if (list != nullptr && list->is_array() && list->get_array().empty()) report.required(paths);
  std::size_t i = 0;
  for (const auto& path : arrayAt(*http, {"paths"})) {
    const auto here = paths.item(i++);
    if (path.is_object()) checkIngressPath(here, path, report);
  }
}

void checkPolicyPort(const FieldPath& at, const json::value& said, RuleReport& report) {
  const auto* port = find(said, {"port"});
  const auto here = at.field("port");
  const auto end = at.field("endPort");
  const auto* last = find(said, {"endPort"});
  if (port != nullptr && port->is_string()) report.check(here, view(port->get_string()), checkPortName);
  else checkPortNumber(here, port, report);
  const auto lastNumber = last == nullptr ? std::nullopt : asInt(*last);
  if (!lastNumber) return;
  if (port == nullptr || port->is_null()) report.required(here, "must be specified with `endPort`");
  else if (port->is_string()) report.invalid(end, *last, "may not be specified when `port` is non-numeric");
  else if (const auto first = asInt(*port); first && *lastNumber < *first)
    report.invalid(end, *last, "must be greater than or equal to `port`");
  checkPortNumber(end, last, report);
}

void checkBlock(const FieldPath& at, const json::value& block, RuleReport& report) {
  const auto text = stringAt(block, {"cidr"});
  const auto range = cidrOf(text);
  const auto cidr = at.field("cidr");
  if (!text.empty() && !range)
    report.invalid(cidr, json::value(jkey(text)), "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
                   isAddress(text)
                       ? "write \"" + std::string(text) +
                             (text.find(':') == std::string_view::npos ? "/32\"" : "/128\"") + " for this address alone"
                       : "");
  const auto except = at.field("except");
  std::size_t i = 0;
  for (const auto& item : arrayAt(block, {"except"})) {
    const auto here = except.item(i++);
    if (!item.is_string()) continue;
    const auto part = cidrOf(view(item.get_string()));
    if (!part) report.invalid(here, item, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    else if (range && (!range->contains(*part) || part->prefix == range->prefix))
      report.invalid(here, item, "must be a strict subset of `cidr`");
  }
}

void checkPeer(const FieldPath& at, const json::value& peer, RuleReport& report) {
  if (!peer.is_object()) return;
  const auto set = [&](const char* name) {
    const auto* said = find(peer, {name});
    return said != nullptr && said->is_object();
  };
  checkLabelSelector(at.field("podSelector"), find(peer, {"podSelector"}), report);
  checkLabelSelector(at.field("namespaceSelector"), find(peer, {"namespaceSelector"}), report);
  const auto block = at.field("ipBlock");
  if (set("ipBlock")) {
    if (set("podSelector") || set("namespaceSelector"))
      report.forbidden(block, "may not be specified when `podSelector` or `namespaceSelector` is: write two peers");
    checkBlock(block, *find(peer, {"ipBlock"}), report);
  } else if (!set("podSelector") && !set("namespaceSelector")) {
    report.required(at, "must specify a peer: podSelector, namespaceSelector or ipBlock");
  }
}

void checkDirection(const FieldPath& spec, const json::object& object, const char* direction, const char* peersName,
                    RuleReport& report) {
  const auto list = spec.field(direction);
  std::size_t i = 0;
  for (const auto& rule : arrayAt(object, {"spec", direction})) {
    const auto at = list.item(i++);
    const auto ports = at.field("ports");
    const auto peers = at.field(peersName);
    std::size_t k = 0;
    for (const auto& port : arrayAt(rule, {"ports"})) {
      const auto here = ports.item(k++);
      if (port.is_object()) checkPolicyPort(here, port, report);
    }
    k = 0;
    for (const auto& peer : arrayAt(rule, {peersName})) {
      const auto here = peers.item(k++);
      checkPeer(here, peer, report);
    }
  }
}

}  // namespace

void checkIngress(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto rules = spec.field("rules");
  const auto& said = objectAt(object, {"spec"});
  if (arrayAt(said, {"rules"}).empty() && find(said, {"defaultBackend"}) == nullptr)
    report.invalid(spec, nullptr, "either `defaultBackend` or `rules` must be specified");
  checkBackend(spec.field("defaultBackend"), find(said, {"defaultBackend"}), report);
  std::size_t i = 0;
  for (const auto& rule : arrayAt(said, {"rules"})) {
    const auto at = rules.item(i++);
    if (rule.is_object()) checkIngressRule(at, rule, report);
  }
  const auto tls = spec.field("tls");
  i = 0;
  for (const auto& entry : arrayAt(said, {"tls"})) {
    const auto at = tls.item(i++);
    const auto hosts = at.field("hosts");
    std::size_t k = 0;
    for (const auto& host : arrayAt(entry, {"hosts"})) {
      const auto here = hosts.item(k++);
      if (host.is_string()) checkHostAt(here, view(host.get_string()), report);
    }
  }
  if (const auto name = stringAt(said, {"ingressClassName"}); !name.empty())
    report.check(spec.field("ingressClassName"), name, checkDns1123Subdomain);
}

void checkNetworkPolicy(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  checkLabelSelector(spec.field("podSelector"), find(object, {"spec", "podSelector"}), report);
  checkDirection(spec, object, "ingress", "from", report);
  checkDirection(spec, object, "egress", "to", report);
}

}  // namespace steer
