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
