#include "cluster/controllers/garbage.h"

#include <algorithm>

#include "cluster/controllers/ownership.h"

namespace steer {
namespace {

constexpr const char* kForeground = "foregroundDeletion";
constexpr const char* kOrphan = "orphan";

bool hasFinalizer(const Object& object, std::string_view finalizer) {
  for (const auto& item : arrayAt(object.metadata(), {"finalizers"}))
    if (const auto* s = item.if_string(); s != nullptr && view(*s) == finalizer) return true;
  return false;
}

bool waitsForDependents(const Object& object) { return object.deleting() && hasFinalizer(object, kForeground); }

Write dropFinalizer(const std::string& resource, const Object& object, std::string_view finalizer) {
  json::array kept;
  for (const auto& item : arrayAt(object.metadata(), {"finalizers"}))
    if (const auto* s = item.if_string(); s == nullptr || view(*s) != finalizer) kept.push_back(item);
  json::object metadata{{"resourceVersion", stringAt(object.metadata(), {"resourceVersion"})},
                        {"finalizers", std::move(kept)}};
  return Write::patch({resource, object.ns(), object.name()}, PatchType::merge,
                      json::object{{"metadata", std::move(metadata)}});
}

Controller::Key keyOf(std::string_view resource, const Object& object) {
  return {std::string(resource) + "|" + object.ns(), object.name()};
}

/// What stands behind the references of an object.
struct Owners {
  std::vector<std::string> solid;    ///< there, and staying
  std::vector<std::string> gone;     ///< absent, or another object has the name
  std::vector<std::string> waiting;  ///< deleting in the foreground, waiting for us
  std::vector<Proviso> absences;     ///< to be confirmed by the server
  std::vector<std::string> foreign;  ///< cannot be in this namespace
};

class GarbageController final : public Controller {
 public:
  GarbageController(std::vector<std::string> resources, CollectionOf collectionOf)
      : resources_(std::move(resources)), collectionOf_(std::move(collectionOf)) {}

  std::string_view name() const override { return "garbage-collector-controller"; }
  std::vector<std::string> resources() const override { return resources_; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    std::vector<Key> keys;
    if (after) {
      const bool owned = !arrayAt(after->metadata(), {"ownerReferences"}).empty();
      const bool changedRefs =
          !before || before->uid() != after->uid() ||
          arrayAt(before->metadata(), {"ownerReferences"}) != arrayAt(after->metadata(), {"ownerReferences"});
      if ((owned && changedRefs) || after->deleting()) keys.push_back(keyOf(resource, *after));
      if (after->deleting() && !(before && before->deleting())) addDependents(snapshot, after->uid(), keys);
    }
    if (before && (!after || after->uid() != before->uid())) {
      addDependents(snapshot, before->uid(), keys);
      addOwners(snapshot, *before, keys);
    }
    return keys;
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    const auto bar = key.ns.find('|');
    const std::string resource = key.ns.substr(0, bar);
    const auto object = snapshot.get(resource, key.ns.substr(bar + 1), key.name);
    if (!object) return {};
    if (object->deleting()) {
      if (hasFinalizer(*object, kOrphan)) return orphanDependents(snapshot, resource, *object);
      if (hasFinalizer(*object, kForeground)) return deleteDependents(snapshot, resource, *object);
      return {};
    }
    return judge(snapshot, resource, object);
  }

 private:
  static void addDependents(const Snapshot& snapshot, const std::string& uid, std::vector<Key>& keys) {
    for (const auto& [resource, dependent] : snapshot.dependents(uid)) keys.push_back(keyOf(resource, *dependent));
  }

  /// An owner in foreground deletion looks again when one of its dependents is gone.
  void addOwners(const Snapshot& snapshot, const Object& object, std::vector<Key>& keys) const {
    for (const auto& ref : object.owners()) {
      const auto collection = collectionOf_(Gvk::from(ref.apiVersion, ref.kind));
      if (!collection) continue;
      const auto owner = snapshot.get(collection->resource, collection->namespaced ? object.ns() : "", ref.name);
      if (owner && owner->uid() == ref.uid && owner->deleting()) keys.push_back(keyOf(collection->resource, *owner));
    }
  }

  Owners classify(const Snapshot& snapshot, const Object& object) const {
    Owners out;
    for (const auto& ref : object.owners()) {
      const auto collection = collectionOf_(Gvk::from(ref.apiVersion, ref.kind));
      if (!collection) {  // not ours to judge
        out.solid.push_back(ref.uid);
        continue;
      }
      const std::string ns = collection->namespaced ? object.ns() : "";
      const auto owner =
          collection->namespaced && ns.empty() ? nullptr : snapshot.get(collection->resource, ns, ref.name);
      if (owner && owner->uid() == ref.uid) {
        (waitsForDependents(*owner) ? out.waiting : out.solid).push_back(ref.uid);
        continue;
      }
      if (collection->namespaced && ns.empty()) {  // a cluster-wide object cannot have such an owner
        out.foreign.push_back(ref.uid);
        out.solid.push_back(ref.uid);
        continue;
      }
      if (const auto elsewhere = snapshot.byUid(ref.uid); elsewhere && elsewhere->ns() != object.ns())
        out.foreign.push_back(ref.uid);
      out.gone.push_back(ref.uid);
      out.absences.push_back({{collection->resource, ns, ref.name}, ref.uid});
    }
    return out;
  }

  static void noteForeign(const ObjectPtr& object, const Owners& owners, Decision& out) {
    for (const auto& ref : object->owners())
      if (std::find(owners.foreign.begin(), owners.foreign.end(), ref.uid) != owners.foreign.end())
        out.events.push_back({object, "Warning", "OwnerRefInvalidNamespace",
                              "ownerRef [" + ref.apiVersion + "/" + ref.kind + ", namespace: " + object->ns() +
                                  ", name: " + ref.name + ", uid: " + ref.uid + "] does not exist in namespace \"" +
                                  object->ns() + "\"",
                              std::nullopt});
  }

  Decision judge(const Snapshot& snapshot, const std::string& resource, const ObjectPtr& object) const {
    Decision out;
    auto owners = classify(snapshot, *object);
    noteForeign(object, owners, out);
    if (owners.gone.empty() && owners.waiting.empty()) return out;
    out.provided = owners.absences;
    if (!owners.solid.empty()) {
      auto gone = owners.gone;
      gone.insert(gone.end(), owners.waiting.begin(), owners.waiting.end());
      out.writes.push_back(dropOwners(resource, *object, gone));
      return out;
    }
    DeleteOptions options;
    options.uid = object->uid();
    options.revision = object->revision();
    options.propagation = Propagation::background;
    if (hasFinalizer(*object, kOrphan)) options.propagation = Propagation::orphan;
    else if (hasFinalizer(*object, kForeground)) options.propagation = Propagation::foreground;
    else if (!owners.waiting.empty() && !snapshot.dependents(object->uid()).empty()) {
      options.propagation = Propagation::foreground;
      breakCycle(snapshot, resource, *object, out, options);
    }
    out.writes.push_back(Write::remove({resource, object->ns(), object->name()}, std::move(options)));
    return out;
  }

  /// A dependent that itself waits for us would block us for ever: we stop blocking our owners.
  static void breakCycle(const Snapshot& snapshot, const std::string& resource, const Object& object, Decision& out,
                         DeleteOptions& options) {
    const auto dependents = snapshot.dependents(object.uid());
    if (std::none_of(dependents.begin(), dependents.end(), [](const auto& d) { return waitsForDependents(*d.second); }))
      return;
    json::array refs = arrayAt(object.metadata(), {"ownerReferences"});
    for (auto& ref : refs)
      if (auto* body = ref.if_object()) (*body)["blockOwnerDeletion"] = false;
    out.writes.push_back(Write::patch({resource, object.ns(), object.name()}, PatchType::merge,
                                      json::object{{"metadata", {{"ownerReferences", std::move(refs)}}}}));
    options.revision = 0;
  }

  static Decision orphanDependents(const Snapshot& snapshot, const std::string& resource, const Object& object) {
    Decision out;
    for (const auto& [dependentResource, dependent] : snapshot.dependents(object.uid()))
      out.writes.push_back(dropOwners(dependentResource, *dependent, {object.uid()}));
    out.writes.push_back(dropFinalizer(resource, object, kOrphan));
    return out;
  }

  static Decision deleteDependents(const Snapshot& snapshot, const std::string& resource, const Object& object) {
    Decision out;
    bool blocked = false;
    for (const auto& [dependentResource, dependent] : snapshot.dependents(object.uid())) {
      for (const auto& ref : dependent->owners())
        blocked = blocked || (ref.uid == object.uid() && ref.blockOwnerDeletion);
    }
    // The dependents decide about themselves: they see that this owner waits for them.
    if (!blocked) out.writes.push_back(dropFinalizer(resource, object, kForeground));
    return out;
  }

  std::vector<std::string> resources_;
  CollectionOf collectionOf_;
};

}  // namespace

std::unique_ptr<Controller> makeGarbageController(std::vector<std::string> resources, CollectionOf collectionOf) {
  return std::make_unique<GarbageController>(std::move(resources), std::move(collectionOf));
}

}  // namespace steer
