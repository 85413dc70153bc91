#include "cluster/apiserver/route.h"

namespace steer {

std::vector<std::string> pathSegments(const std::string& path) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto slash = path.find('/', at);
    if (slash != at) out.push_back(path.substr(at, slash == std::string::npos ? slash : slash - at));
    if (slash == std::string::npos) break;
    at = slash + 1;
  }
  return out;
}

namespace {

struct Address {
  std::string group, version, ns;
  std::vector<std::string> rest;  ///< plural, name, subresource
};

std::optional<Address> addressOf(const std::string& path) {
  auto parts = pathSegments(path);
  Address out;
  std::size_t at = 0;
  if (parts.size() >= 3 && parts[0] == "api") {
    out.version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    out.group = parts[1];
    out.version = parts[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  auto& rest = out.rest;
  rest.assign(parts.begin() + static_cast<std::ptrdiff_t>(at), parts.end());
  // /namespaces/x/pods is a collection in x; /namespaces/x/status belongs to x itself.
  if (rest.size() >= 3 && rest[0] == "namespaces" && rest[2] != "status" && rest[2] != "finalize") {
    out.ns = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  return out;
}

}  // namespace

std::optional<Unserved> unservedOf(const std::string& path) {
  auto address = addressOf(path);
  if (!address) return std::nullopt;
  return Unserved{std::move(address->group), std::move(address->rest[0]), std::move(address->ns)};
}

std::optional<Route> routeOf(const SchemaRegistry& registry, const std::string& path) {
  auto address = addressOf(path);
  if (!address) return std::nullopt;
  auto& rest = address->rest;
  // What follows a proxy is a path of the other side.
  if (rest.size() > 3 && rest[2] != "proxy") return std::nullopt;
  Route out;
  out.apiVersion = Gvk{address->group, address->version, ""}.apiVersion();
  out.ns = std::move(address->ns);
  out.kind = registry.findByPlural(address->group, address->version, rest[0]);
  if (out.kind == nullptr || out.kind->verbs.empty()) return std::nullopt;
  if (!out.ns.empty() && !out.kind->namespaced) return std::nullopt;
  if (rest.size() >= 2) out.name = rest[1];
  if (rest.size() >= 3) out.subresource = rest[2];
  return out;
}

}  // namespace steer
