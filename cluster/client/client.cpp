#include "cluster/client/client.h"

#include <algorithm>
#include <map>
#include <set>

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

Result<Observation> Client::observe(const ObserveRequest& request) {
  Observation out;
  std::map<ObjectRef, ObjectPtr> labelled;
  if (!request.label.empty()) {
    ListOptions options;
    options.labelSelector = request.label;
    for (const auto& resource : ownableResources()) {
      const auto list = this->list(resource, options);
      if (!list.ok()) {
        if (list.error().code == Errc::notFound || list.error().code == Errc::methodNotAllowed) continue;
        return list.error();
      }
      for (const auto& object : list->items)
        labelled.emplace(ObjectRef{resource, object->ns(), object->name()}, object);
    }
  }
  for (const auto& item : request.items) {
    if (const auto it = labelled.find(item.ref); it != labelled.end()) {
      out.items.push_back({false, it->second});
      continue;
    }
    auto object = get(item.ref);
    if (!object.ok() && object.error().code != Errc::notFound) return object.error();
    out.items.push_back({false, object.ok() ? *object : nullptr});
  }
  for (const auto& item : request.items) labelled.erase(item.ref);
  for (auto& [ref, object] : labelled) out.others.push_back({ref, object});
  return out;
}

}  // namespace steer
