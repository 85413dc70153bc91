#include "core/snapshot.h"

#include <algorithm>

namespace steer {
namespace {

constexpr char kSep = '\x1f';

std::string objectKey(std::string_view ns, std::string_view name) {
  std::string key;
  key.reserve(ns.size() + name.size() + 1);
  key += ns;
  key += '/';
  key += name;
  return key;
}

std::string indexKey(std::string_view index, std::string_view value) {
  std::string key;
  key.reserve(index.size() + value.size() + 100);  // most callers add a resource and a name
  key += index;
  key += kSep;
  key += value;
  key += kSep;
  return key;
}

/// Both are found in the indexes under the same keys: most changes of an object leave them as they are.
bool indexedAlike(const Object& a, const Object& b) {
  if (a.uid() != b.uid() || stringAt(a.spec(), {"nodeName"}) != stringAt(b.spec(), {"nodeName"})) return false;
  for (const auto& key : Snapshot::indexedLabels())
    if (a.label(key) != b.label(key)) return false;
  const auto &mine = arrayAt(a.metadata(), {"ownerReferences"}), &theirs = arrayAt(b.metadata(), {"ownerReferences"});
  return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(), [](const auto& x, const auto& y) {
    return stringAt(x, {"uid"}) == stringAt(y, {"uid"}) && boolAt(x, {"controller"}) == boolAt(y, {"controller"});
  });
}

/// What no two services may have is found as labels are, under names that no label can have: addresses as
/// ".spec.clusterIP" = "10.96.0.7", node ports as ".nodePort" = "TCP/30007", and the port of the health check,
/// whatever its protocol, as "*/30008".
void addClaims(std::vector<std::string>& out, const Object& service, const std::string& tail) {
  const auto& spec = service.spec();
  if (const auto address = stringAt(spec, {"clusterIP"}); !address.empty() && address != "None")
    out.push_back(indexKey(".spec.clusterIP", address) + tail);
  const auto claim = [&](std::string_view protocol, std::int64_t port) {
    if (port == 0) return;
    auto key = indexKey(".nodePort", std::string(protocol) + "/" + std::to_string(port)) + tail;
    if (std::find(out.begin(), out.end(), key) == out.end()) out.push_back(std::move(key));
  };
  for (const auto& item : arrayAt(spec, {"ports"}))
    claim(stringAt(item, {"protocol"}, "TCP"), intAt(item, {"nodePort"}));
  claim("*", intAt(spec, {"healthCheckNodePort"}));
}

}  // namespace

const std::vector<std::string>& Snapshot::indexedLabels() {
  static const std::vector<std::string> keys{"steersman.dev/application", "kubernetes.io/service-name"};
  return keys;
}

ObjectPtr Snapshot::get(std::string_view resource, std::string_view ns, std::string_view name) const {
  const auto* objects = byResource_.find(resource);
  if (objects == nullptr) return nullptr;
  const auto* found = objects->find(objectKey(ns, name));
  return found == nullptr ? nullptr : *found;
}

std::vector<ObjectPtr> Snapshot::list(std::string_view resource, std::string_view ns) const {
  std::vector<ObjectPtr> out;
  each(resource, ns, [&](const ObjectPtr& o) { out.push_back(o); });
  return out;
}

void Snapshot::each(std::string_view resource, std::string_view ns,
                    const std::function<void(const ObjectPtr&)>& visit) const {
  scan(resource, ns, "", [&](const ObjectPtr& o) {
    visit(o);
    return true;
  });
}

void Snapshot::scan(std::string_view resource, std::string_view ns, std::string_view after,
                    const std::function<bool(const ObjectPtr&)>& visit) const {
  const auto* objects = byResource_.find(resource);
  if (objects == nullptr) return;
  const std::string start = ns.empty() ? "" : objectKey(ns, "");
  const std::string from = after.empty() ? start : std::string(after) + '\0';
  objects->scan(std::max(start, from), [&](std::string_view key, const ObjectPtr& o) {
    if (!key.starts_with(start)) return false;
    return visit(o);
  });
}

std::size_t Snapshot::count(std::string_view resource) const {
  const auto* objects = byResource_.find(resource);
  return objects == nullptr ? 0 : objects->size();
}

std::vector<std::string> Snapshot::resources() const {
  std::vector<std::string> out;
  byResource_.each([&](std::string_view resource, const Objects&) { out.emplace_back(resource); });
  return out;
}

std::vector<ObjectPtr> Snapshot::ownedBy(std::string_view resource, std::string_view ownerUid) const {
  std::vector<ObjectPtr> out;
  indexes_.prefix(indexKey("owner", ownerUid) + std::string(resource) + kSep,
                  [&](std::string_view, const ObjectPtr& o) { out.push_back(o); });
  return out;
}

std::vector<ObjectPtr> Snapshot::withoutController(std::string_view resource, std::string_view ns) const {
  std::vector<ObjectPtr> out;
  indexes_.prefix(indexKey("free", resource) + (ns.empty() ? std::string() : objectKey(ns, "")),
                  [&](std::string_view, const ObjectPtr& o) { out.push_back(o); });
  return out;
}

std::vector<std::pair<std::string, ObjectPtr>> Snapshot::dependents(std::string_view ownerUid) const {
  std::vector<std::pair<std::string, ObjectPtr>> out;
  const std::string start = indexKey("owner", ownerUid);
  indexes_.prefix(start, [&](std::string_view key, const ObjectPtr& o) {
    out.emplace_back(key.substr(start.size(), key.find(kSep, start.size()) - start.size()), o);
  });
  return out;
}

std::vector<ObjectPtr> Snapshot::podsOnNode(std::string_view node) const {
  std::vector<ObjectPtr> out;
  indexes_.prefix(indexKey("node", node), [&](std::string_view, const ObjectPtr& o) { out.push_back(o); });
  return out;
}

std::vector<ObjectPtr> Snapshot::labelled(std::string_view resource, std::string_view key,
                                          std::string_view value) const {
  std::vector<ObjectPtr> out;
  indexes_.prefix(indexKey(key, value) + std::string(resource) + kSep,
                  [&](std::string_view, const ObjectPtr& o) { out.push_back(o); });
  return out;
}

ObjectPtr Snapshot::byUid(std::string_view uid) const {
  ObjectPtr out;
  indexes_.prefix(indexKey("uid", uid), [&](std::string_view, const ObjectPtr& o) { out = o; });
  return out;
}

std::vector<std::string> Snapshot::indexKeys(std::string_view resource, const Object& object) {
  const std::string tail = std::string(resource) + kSep + objectKey(object.ns(), object.name());
  std::vector<std::string> out;
  if (!object.uid().empty()) out.push_back(indexKey("uid", object.uid()) + tail);
  bool controlled = false;
  for (const auto& item : arrayAt(object.metadata(), {"ownerReferences"})) {
    out.push_back(indexKey("owner", stringAt(item, {"uid"})) + tail);
    controlled = controlled || boolAt(item, {"controller"});
  }
  if (!controlled && (resource == "pods" || resource == "replicasets.apps"))
    out.push_back(indexKey("free", resource) + objectKey(object.ns(), object.name()));
  if (resource == "pods") out.push_back(indexKey("node", stringAt(object.spec(), {"nodeName"})) + tail);
  if (resource == "services") addClaims(out, object, tail);
  for (const auto& key : indexedLabels())
    if (const auto value = object.label(key); !value.empty()) out.push_back(indexKey(key, value) + tail);
  return out;
}

Snapshot Snapshot::part(const std::vector<std::string_view>& resources) const {
  Snapshot out(Indexes::none);
  out.revision_ = revision_;
  for (const auto resource : resources)
    if (const auto* objects = byResource_.find(resource)) out.byResource_.insert(resource, *objects);
  return out;
}

bool Snapshot::sharesContent(std::string_view resource, const Snapshot& other) const {
  const auto *mine = byResource_.find(resource), *theirs = other.byResource_.find(resource);
  const bool noneHere = mine == nullptr || mine->empty();
  const bool noneThere = theirs == nullptr || theirs->empty();
  return noneHere || noneThere ? noneHere == noneThere : mine->sharesAllWith(*theirs);
}

void Snapshot::put(std::string_view resource, ObjectPtr object) {
  auto* objects = byResource_.findToChange(resource);
  if (objects == nullptr) {
    byResource_.insert(resource, Objects{});
    objects = byResource_.findToChange(resource);
  }
  const std::string key = objectKey(object->ns(), object->name());
  if (kept_ == Indexes::kept) {
    const auto keys = indexKeys(resource, *object);
    // Where the indexes' keys stay as they are only the values are replaced.
    const auto* old = objects->find(key);
    if (old != nullptr && (resource == "services" || !indexedAlike(**old, *object)))
      for (const auto& gone : indexKeys(resource, **old))
        if (std::find(keys.begin(), keys.end(), gone) == keys.end()) indexes_.erase(gone);
    for (const auto& k : keys) indexes_.insert(k, object);
  }
  objects->insert(key, std::move(object));
}

bool Snapshot::remove(std::string_view resource, std::string_view ns, std::string_view name) {
  auto* objects = byResource_.findToChange(resource);
  if (objects == nullptr) return false;
  const std::string key = objectKey(ns, name);
  const auto* old = objects->find(key);
  if (old == nullptr) return false;
  if (kept_ == Indexes::kept)
    for (const auto& gone : indexKeys(resource, **old)) indexes_.erase(gone);
  objects->erase(key);
  if (objects->empty()) byResource_.erase(resource);
  return true;
}

void Snapshot::clear(std::string_view resource) {
  for (const auto& object : list(resource)) remove(resource, object->ns(), object->name());
}

}  // namespace steer
