// Configuration, storage and what belongs to the cluster.
#include "schemas/default_rules.h"

namespace steer {

void defaultSecret(json::object& secret) { setIfZero(secret, "type", "Opaque"); }

void defaultNamespace(json::object& ns) {
  const auto name = stringAt(ns, {"metadata", "name"});
  if (!name.empty()) {
    const json::string label(jkey(name));
    ensureObject(ensureObject(ns, "metadata"), "labels")["kubernetes.io/metadata.name"] = label;
  }
  setIfZero(ensureObject(ns, "status"), "phase", "Active");
}

void defaultPersistentVolumeSpec(json::object& spec) {
  setIfZero(spec, "persistentVolumeReclaimPolicy", "Retain");
  setIfAbsent(spec, "volumeMode", "Filesystem");
}

void defaultClaimSpec(json::object& spec) { setIfAbsent(spec, "volumeMode", "Filesystem"); }

void defaultClaim(json::object& claim) {
  auto* member = claim.if_contains("spec");
  auto* spec = member == nullptr ? nullptr : member->if_object();
  if (spec == nullptr) return;
  // The old field knows claims and snapshots alone; what else it says is left out. Old and new say the same.
  if (const auto* source = spec->if_contains("dataSource"); source != nullptr && source->is_object()) {
    const auto group = stringAt(*source, {"apiGroup"});
    const auto kind = stringAt(*source, {"kind"});
    const bool known = (group.empty() && kind == "PersistentVolumeClaim") ||
                       (group == "snapshot.storage.k8s.io" && kind == "VolumeSnapshot");
    if (!known) spec->stable_erase("dataSource");
  }
  // Sources in other namespaces belong to a feature that is switched off.
  if (!stringAt(*spec, {"dataSourceRef", "namespace"}).empty()) spec->stable_erase("dataSourceRef");
  const auto has = [&](const char* field) { return spec->contains(field) && spec->at(field).is_object(); };
  if (has("dataSource") && !has("dataSourceRef")) (*spec)["dataSourceRef"] = json::value(spec->at("dataSource"));
  else if (has("dataSourceRef") && !has("dataSource") && stringAt(spec->at("dataSourceRef"), {"namespace"}).empty())
    (*spec)["dataSource"] = json::value(spec->at("dataSourceRef"));
}

/// Lists that are written even when they are empty.
void defaultCsiNodeSpec(json::object& spec) {
  if (arrayAt(spec, {"drivers"}).empty()) spec["drivers"] = nullptr;
}
void defaultCsiNodeDriver(json::object& driver) {
  if (arrayAt(driver, {"topologyKeys"}).empty()) driver["topologyKeys"] = nullptr;
}

/// Of its secrets an account keeps the names.
void defaultServiceAccount(json::object& account) {
  auto* secrets = account.if_contains("secrets");
  if (secrets == nullptr || !secrets->is_array()) return;
  for (auto& secret : secrets->get_array()) {
    const json::string name(jkey(stringAt(secret, {"name"})));
    secret = name.empty() ? json::object{} : json::object{{"name", name}};
  }
}

void defaultClassParameters(json::object& parameters) { setIfAbsent(parameters, "scope", "Cluster"); }

/// What a container gets that says nothing: the most, or else the least.
void defaultLimit(json::object& limit) {
  if (stringAt(limit, {"type"}) != "Container") return;
  const auto fill = [&](const char* from, const char* to) {
    const json::object source = objectAt(limit, {from});
    if (source.empty()) return;
    auto& target = ensureObject(limit, to);
    for (const auto& [name, value] : source)
      if (!target.contains(name)) target[name] = value;
  };
  fill("max", "default");
  fill("default", "defaultRequest");
  fill("min", "defaultRequest");
}

void defaultStorageClass(json::object& storageClass) {
  setIfAbsent(storageClass, "reclaimPolicy", "Delete");
  setIfAbsent(storageClass, "volumeBindingMode", "Immediate");
}

void defaultCsiDriverSpec(json::object& spec) {
  setIfAbsent(spec, "attachRequired", true);
  setIfAbsent(spec, "podInfoOnMount", false);
  setIfAbsent(spec, "storageCapacity", false);
  setIfAbsent(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
  if (arrayAt(spec, {"volumeLifecycleModes"}).empty()) spec["volumeLifecycleModes"] = json::array{"Persistent"};
  setIfAbsent(spec, "requiresRepublish", false);
  setIfAbsent(spec, "seLinuxMount", false);
}

void defaultPriorityClass(json::object& priorityClass) {
  setIfAbsent(priorityClass, "preemptionPolicy", "PreemptLowerPriority");
}

void defaultRoleRef(json::object& ref) { setIfZero(ref, "apiGroup", "rbac.authorization.k8s.io"); }

void defaultSubject(json::object& subject) {
  const auto kind = stringAt(subject, {"kind"});
  if (kind == "User" || kind == "Group") setIfZero(subject, "apiGroup", "rbac.authorization.k8s.io");
}

void defaultCustomResourceSpec(json::object& spec) {
  auto& names = ensureObject(spec, "names");
  const std::string kind(stringAt(names, {"kind"}));
  std::string lower = kind;
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (!kind.empty()) {
    setIfZero(names, "singular", json::value(lower));
    setIfZero(names, "listKind", json::value(kind + "List"));
  }
  setIfAbsent(spec, "conversion", json::object{{"strategy", "None"}});
}

}  // namespace steer
