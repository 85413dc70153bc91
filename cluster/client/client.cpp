#include "cluster/client/client.h"

#include <algorithm>

#include "schemas/schema.h"

namespace steer {
namespace {

bool has(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

}  // namespace

std::vector<std::string> ownableResources() {
  std::vector<std::string> out;
  for (const auto* kind : SchemaRegistry::builtin().kinds()) {
    // Events are the server's diary; nobody declares them.
    if (kind->plural == "events" || !has(kind->verbs, "list") || !has(kind->verbs, "delete")) continue;
    if (std::find(out.begin(), out.end(), kind->resource()) == out.end()) out.push_back(kind->resource());
  }
  return out;
}

}  // namespace steer
