#pragma once
// Group, version, kind: the identity of a type; and the resource names under which the store and
// the clients know it. Thread rule: plain values.
#include <compare>
#include <string>
#include <string_view>

namespace steer {

struct Gvk {
  std::string group;    ///< "" for the core group
  std::string version;  ///< "v1"
  std::string kind;     ///< "Deployment"

  /// "v1" or "apps/v1".
  std::string apiVersion() const { return group.empty() ? version : group + "/" + version; }
  auto operator<=>(const Gvk&) const = default;

  static Gvk from(std::string_view apiVersion, std::string_view kind) {
    const auto slash = apiVersion.find('/');
    if (slash == std::string_view::npos) return {"", std::string(apiVersion), std::string(kind)};
    return {std::string(apiVersion.substr(0, slash)), std::string(apiVersion.substr(slash + 1)), std::string(kind)};
  }
};

/// "pods" for the core group, "deployments.apps" for others: the key of a collection everywhere
/// inside (store, snapshot, client). Versions of one resource share a collection.
inline std::string resourceKey(std::string_view group, std::string_view plural) {
  return group.empty() ? std::string(plural) : std::string(plural) + "." + std::string(group);
}

/// Where an object lives.
struct ObjectRef {
  std::string resource;  ///< resourceKey: "pods", "deployments.apps"
  std::string ns;        ///< empty for cluster-scoped kinds
  std::string name;

  auto operator<=>(const ObjectRef&) const = default;
  /// "deployments.apps shop/web", "nodes n1".
  std::string text() const { return resource + " " + (ns.empty() ? name : ns + "/" + name); }
};

}  // namespace steer
