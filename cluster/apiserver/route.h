#pragma once
// Route: what a path addresses: a collection, an object, a subresource. Pure.
#include <optional>
#include <string>
#include <vector>

#include "schemas/schema.h"

namespace steer {

struct Route {
  const KindSchema* kind = nullptr;
  std::string apiVersion;  ///< as in the URL
  std::string ns;
  std::string name;
  std::string subresource;
};

/// Nothing when the path addresses no served resource.
std::optional<Route> routeOf(const SchemaRegistry& registry, const std::string& path);
/// The collection that a path would address if it were served.
struct Unserved {
  std::string group;
  std::string plural;
  std::string ns;
};
/// Nothing when the path has not the form of a resource's.
std::optional<Unserved> unservedOf(const std::string& path);
std::vector<std::string> pathSegments(const std::string& path);

}  // namespace steer
