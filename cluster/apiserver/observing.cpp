#include "cluster/apiserver/observing.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "cluster/apiserver/impersonation.h"
#include "cluster/client/client.h"
#include "schemas/ownership_proof.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

/// Asks once for each resource and namespace, not for each object, unless the answer hangs on the name.
class Permission {
 public:
  Permission(const ServerParts& parts, const Identity& who, const Snapshot& view)
      : parts_(parts), who_(who), view_(view) {}

  /// Of one object.
  Result<void> may(const std::string& verb, const ObjectRef& ref) {
    const auto key = std::tuple(verb, ref.resource, ref.ns);
    auto known = general_.find(key);
    if (known == general_.end())
      known = general_.emplace(key, parts_.authorize(who_, {verb, ref.resource, "", ref.ns, ""}, view_).ok()).first;
    if (known->second) return {};
    return parts_.authorize(who_, {verb, ref.resource, "", ref.ns, ref.name}, view_);
  }

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
  std::map<std::tuple<std::string, std::string, std::string>, bool> general_;
};

/// What shows that an object is there, and whose it is, and nothing that it says.
ObjectPtr identityOf(const Object& object, const std::string& label) {
  json::object meta;
  for (const char* key : {"name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp"})
    if (const auto* value = object.metadata().if_contains(key)) meta[key] = *value;
  const auto key = label.substr(0, label.find('='));
  if (const auto value = object.label(key); !key.empty() && !value.empty()) meta["labels"] = json::object{{key, value}};
  // In which order it goes, and whether.
  for (const auto& name : deletionWords()) {
    if (const auto value = object.annotation(name); !value.empty()) ensureObject(meta, "annotations")[name] = value;
    if (const auto value = object.label(name); !value.empty()) ensureObject(meta, "labels")[name] = value;
  }
  if (!provenOwner(object.json()).empty())
    meta["managedFields"] =
        json::array{json::object{{"manager", kReconcilerManager}, {"operation", "Apply"}, {"fieldsV1", proofFields()}}};
  return Object::make({{"apiVersion", object.gvk().apiVersion()}, {"kind", object.kind()}, {"metadata", meta}});
}

/// Reads with the rights of the asker, or of whom they act as.
class Observer {
 public:
  Observer(const ServerParts& parts, const Snapshot& view, const ObserveRequest& request, const Identity& who,
           const Identity& acting)
      : parts_(parts),
        view_(view),
        request_(request),
        acts_(!request.actAs.empty()),
        own_(parts, who, view),
        acting_(parts, acting, view) {}

  Result<Observation::Item> item(const ObserveRequest::Item& item) {
    auto live = view_.get(item.ref);
    Observation::Item out;
    if (acts_ && live)
      if (const auto may = acting_.may("patch", item.ref); !may.ok()) out.refused = may.error().message;
    if (request_.rightsOnly && acts_ && !live)
      if (const auto may = acting_.may("patch", item.ref); !may.ok()) out.unable = may.error().message;
    if (request_.rightsOnly) return out;
    STEER_TRY(out.hidden, hides(item.ref));
    // What is being deleted does not stay, whatever was applied.
    out.unchanged = live && !live->deleting() && parts_.applied.unchanged(live->revision(), item.digest);
    if (out.unchanged || !live) out.hidden = false;
    else out.live = out.hidden ? identityOf(*live, request_.label) : std::move(live);
    return out;
  }

  Result<Observation::Other> other(ObjectRef ref, ObjectPtr object) {
    STEER_TRY(const bool hidden, hides(ref));
    if (hidden) object = identityOf(*object, request_.label);
    return Observation::Other{std::move(ref), std::move(object), hidden};
  }

 private:
  /// Whether what it says is kept from the user; an error when nothing may be told at all.
  Result<bool> hides(const ObjectRef& ref) {
    if (acts_ && acting_.may("get", ref).ok()) return false;
    STEER_CHECK(own_.mayRead(ref.resource, ref.ns));
    return acts_;
  }

  const ServerParts& parts_;
  const Snapshot& view_;
  const ObserveRequest& request_;
  bool acts_;
  Permission own_;
  Permission acting_;
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
  Identity acting = who;
  if (!request.actAs.empty()) {
    STEER_TRY(acting, actAs(parts.authorizer, view, who, {request.actAs, {}}));
  }
  Observer observer(parts, view, request, who, acting);
  Observation out;
  out.items.reserve(request.items.size());
  std::set<const Object*> asked;
  for (const auto& item : request.items) {
    asked.insert(view.get(item.ref).get());
    STEER_TRY(auto seen, observer.item(item));
    out.items.push_back(std::move(seen));
  }
  if (request.label.empty()) return out;
  const auto eq = request.label.find('=');
  if (eq == std::string::npos) return makeError(Errc::badRequest, "label is not key=value");
  const auto key = request.label.substr(0, eq);
  const auto value = request.label.substr(eq + 1);
  for (const auto& resource : ownableResources())
    for (auto& object : carriers(view, resource, key, value)) {
      if (asked.contains(object.get())) continue;
      ObjectRef ref{resource, object->ns(), object->name()};
      STEER_TRY(auto seen, observer.other(std::move(ref), std::move(object)));
      out.others.push_back(std::move(seen));
    }
  return out;
}

}  // namespace steer
