#pragma once
// Snapshot: the objects of a cluster at one revision, as an immutable value with the indexes that
// decisions need. Copying is O(1); put and remove on a copy do not touch the original, so a fork
// of the cluster is a copy. Thread rule: share const; a copy is private.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "core/persistent_map.h"

namespace steer {

class Snapshot {
 public:
  /// Without indexes a change costs a quarter, and the questions from ownedBy() to byUid() may not be asked.
  enum class Indexes { kept, none };
  explicit Snapshot(Indexes indexes = Indexes::kept) : kept_(indexes) {}

  std::uint64_t revision() const { return revision_; }
  void setRevision(std::uint64_t revision) { revision_ = revision; }

  /// nullptr when absent.
  ObjectPtr get(std::string_view resource, std::string_view ns, std::string_view name) const;
  ObjectPtr get(const ObjectRef& ref) const { return get(ref.resource, ref.ns, ref.name); }
  /// In (namespace, name) order; an empty ns means all namespaces.
  std::vector<ObjectPtr> list(std::string_view resource, std::string_view ns = "") const;
  void each(std::string_view resource, std::string_view ns, const std::function<void(const ObjectPtr&)>& visit) const;
  /// Like each, from the first key after `after` ("ns/name", empty = start) while visit is true.
  void scan(std::string_view resource, std::string_view ns, std::string_view after,
            const std::function<bool(const ObjectPtr&)>& visit) const;
  std::size_t count(std::string_view resource) const;
  std::vector<std::string> resources() const;

  /// Objects of a resource with an ownerReference to uid (any owner, not only the controller).
  std::vector<ObjectPtr> ownedBy(std::string_view resource, std::string_view ownerUid) const;
  /// Pods or replica sets that no controller owns.
  std::vector<ObjectPtr> withoutController(std::string_view resource, std::string_view ns) const;
  /// Every object of any resource with an ownerReference to uid, with its resource.
  std::vector<std::pair<std::string, ObjectPtr>> dependents(std::string_view ownerUid) const;
  /// Pods whose spec.nodeName is node.
  std::vector<ObjectPtr> podsOnNode(std::string_view node) const;
  /// Pods without spec.nodeName.
  std::vector<ObjectPtr> unboundPods() const { return podsOnNode(""); }
  /// Objects of a resource that carry label key=value, for the keys in indexedLabels().
  std::vector<ObjectPtr> labelled(std::string_view resource, std::string_view key, std::string_view value) const;
  /// The object with this uid, nullptr when absent.
  ObjectPtr byUid(std::string_view uid) const;
  static const std::vector<std::string>& indexedLabels();

  /// These resources alone, without indexes: it keeps nothing else alive.
  Snapshot part(const std::vector<std::string_view>& resources) const;
  /// The objects of a resource are certainly the same in both, told in O(1); false when they may differ.
  bool sharesContent(std::string_view resource, const Snapshot& other) const;

  void put(std::string_view resource, ObjectPtr object);
  /// True when it was there.
  bool remove(std::string_view resource, std::string_view ns, std::string_view name);
  /// Forgets a whole resource (before a re-list).
  void clear(std::string_view resource);

 private:
  using Objects = PersistentMap<ObjectPtr>;
  static std::vector<std::string> indexKeys(std::string_view resource, const Object& object);

  std::uint64_t revision_ = 0;
  Indexes kept_;
  PersistentMap<Objects> byResource_;
  Objects indexes_;  ///< "<index>\0<value>\0<resource>\0<ns>/<name>" → object
};

}  // namespace steer
