#include "cluster/apiserver/observing.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cluster/client/client.h"

namespace steer {
namespace {

/// Asks once for each resource and namespace, not for each object.
class Permission {
 public:
  Permission(const ServerParts& parts, const Identity& who, const Snapshot& view)
      : parts_(parts), who_(who), view_(view) {}

  Result<void> mayRead(const std::string& resource, const std::string& ns) {
    if (granted_.contains({resource, ns})) return {};
    STEER_CHECK(parts_.authorize(who_, {"list", resource, "", ns, ""}, view_));
    granted_.emplace(resource, ns);
    return {};
  }

 private:
  const ServerParts& parts_;
  const Identity& who_;
  const Snapshot& view_;
  std::set<std::pair<std::string, std::string>> granted_;
};

std::vector<ObjectPtr> carriers(const Snapshot& view, const std::string& resource, const std::string& key,
                                const std::string& value) {
  const auto& indexed = Snapshot::indexedLabels();
  if (std::find(indexed.begin(), indexed.end(), key) != indexed.end()) return view.labelled(resource, key, value);
  std::vector<ObjectPtr> out;
  view.each(resource, "", [&](const ObjectPtr& object) {
    if (object->label(key) == value) out.push_back(object);
  });
  return out;
}

}  // namespace

Result<Observation> observeObjects(const ServerParts& parts, const ObserveRequest& request, const Identity& who) {
  const Snapshot view = parts.store.snapshot();
  Permission permission(parts, who, view);
  Observation out;
  out.items.reserve(request.items.size());
  std::set<const Object*> asked;
  for (const auto& item : request.items) {
    STEER_CHECK(permission.mayRead(item.ref.resource, item.ref.ns));
    auto live = view.get(item.ref);
    asked.insert(live.get());
    const bool same = live && parts.applied.unchanged(live->revision(), item.digest);
    out.items.push_back({same, same ? nullptr : std::move(live)});
  }
  if (request.label.empty()) return out;
  const auto eq = request.label.find('=');
  if (eq == std::string::npos) return makeError(Errc::badRequest, "label is not key=value");
  const auto key = request.label.substr(0, eq);
  const auto value = request.label.substr(eq + 1);
  for (const auto& resource : ownableResources())
    for (auto& object : carriers(view, resource, key, value)) {
      if (asked.contains(object.get())) continue;
      STEER_CHECK(permission.mayRead(resource, object->ns()));
      ObjectRef ref{resource, object->ns(), object->name()};
      out.others.push_back({std::move(ref), std::move(object)});
    }
  return out;
}

}  // namespace steer
