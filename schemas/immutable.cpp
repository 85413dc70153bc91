#include "schemas/immutable.h"

#include <algorithm>
#include <array>

#include "core/quantity.h"
#include "schemas/rules.h"

namespace steer {
namespace {

constexpr std::string_view kImmutable = "field is immutable";

enum class Refusal { invalid, forbidden };

struct Row {
  std::string_view apiVersion;
  std::string_view kind;
  std::string_view parent;  ///< "" = top level
  std::string_view field;
  std::string_view said{};  ///< where findings stand, if not at the field
  Refusal refusal = Refusal::invalid;
};

constexpr std::array kRows{
    Row{"apps/v1", "Deployment", "spec", "selector"},
    Row{"apps/v1", "ReplicaSet", "spec", "selector"},
    Row{"apps/v1", "DaemonSet", "spec", "selector"},
    Row{"batch/v1", "Job", "spec", "selector"},
    Row{"batch/v1", "Job", "spec", "completionMode"},
    Row{"batch/v1", "Job", "spec", "podFailurePolicy"},
    Row{"batch/v1", "Job", "spec", "successPolicy"},
    Row{"batch/v1", "Job", "spec", "backoffLimitPerIndex"},
    Row{"batch/v1", "Job", "spec", "managedBy"},
    Row{"v1", "Secret", "", "type"},
    Row{"v1", "PersistentVolumeClaim", "spec", "volumeMode", "volumeMode"},
    Row{"v1", "PersistentVolume", "spec", "volumeMode", "volumeMode"},
    Row{"v1", "ResourceQuota", "spec", "scopes"},
    Row{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec", "group"},
    Row{"apiextensions.k8s.io/v1", "CustomResourceDefinition", "spec", "scope"},
    Row{"rbac.authorization.k8s.io/v1", "RoleBinding", "", "roleRef"},
    Row{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "roleRef"},
    Row{"networking.k8s.io/v1", "IngressClass", "spec", "controller"},
    Row{"node.k8s.io/v1", "RuntimeClass", "", "handler"},
    Row{"storage.k8s.io/v1", "StorageClass", "", "provisioner", "", Refusal::forbidden},
    Row{"storage.k8s.io/v1", "StorageClass", "", "parameters", "", Refusal::forbidden},
    Row{"storage.k8s.io/v1", "StorageClass", "", "reclaimPolicy", "", Refusal::forbidden},
    Row{"storage.k8s.io/v1", "StorageClass", "", "volumeBindingMode"},
    Row{"storage.k8s.io/v1", "VolumeAttributesClass", "", "driverName", "", Refusal::forbidden},
    Row{"storage.k8s.io/v1", "VolumeAttributesClass", "", "parameters", "", Refusal::forbidden},
    Row{"storage.k8s.io/v1", "CSIDriver", "spec", "attachRequired", "spec.attachedRequired"},
    Row{"storage.k8s.io/v1", "CSIDriver", "spec", "volumeLifecycleModes"},
    Row{"storage.k8s.io/v1", "CSIStorageCapacity", "", "nodeTopology"},
    Row{"storage.k8s.io/v1", "CSIStorageCapacity", "", "storageClassName"},
    Row{"storage.k8s.io/v1", "VolumeAttachment", "", "spec"},
    Row{"certificates.k8s.io/v1", "CertificateSigningRequest", "", "spec"},
    Row{"discovery.k8s.io/v1", "EndpointSlice", "", "addressType"},
    Row{"scheduling.k8s.io/v1", "PriorityClass", "", "value", "", Refusal::forbidden},
    Row{"scheduling.k8s.io/v1", "PriorityClass", "", "preemptionPolicy"},
};

const json::value* memberOf(const json::object& o, std::string_view parent, std::string_view field) {
  const auto* found = parent.empty() ? find(o, {field}) : find(o, {parent, field});
  return found != nullptr && found->is_null() ? nullptr : found;
}

bool differ(const json::value* a, const json::value* b) {
  if (a == nullptr || b == nullptr) return a != b;
  return *a != *b;
}

void checkRows(const KindSchema& kind, const json::object& before, const json::object& after, RuleReport& report) {
  const auto apiVersion = kind.gvk.apiVersion();
  for (const auto& row : kRows) {
    if (row.kind != kind.gvk.kind || row.apiVersion != apiVersion) continue;
    const auto* now = memberOf(after, row.parent, row.field);
    if (!differ(memberOf(before, row.parent, row.field), now)) continue;
    const FieldPath root;
    const auto parent = root.field(row.parent);
    const auto at = row.said.empty() ? (row.parent.empty() ? root : parent).field(row.field) : root.path(row.said);
    if (row.refusal == Refusal::forbidden)
      report.forbidden(at, "updates to " + std::string(row.field) + " are forbidden.");
    else report.invalid(at, now == nullptr ? json::value() : *now, std::string(kImmutable));
  }
}

void checkFrozenData(const json::object& before, const json::object& after, RuleReport& report) {
  if (!boolAt(before, {"immutable"})) return;
  const FieldPath root;
  for (const auto* field : {"data", "binaryData", "immutable"})
    if (differ(memberOf(before, "", field), memberOf(after, "", field)))
      report.forbidden(root.field(field), "field is immutable when `immutable` is set");
}

void checkService(const json::object& before, const json::object& after, RuleReport& report) {
  const auto old = stringAt(before, {"spec", "clusterIP"});
  const auto now = stringAt(after, {"spec", "clusterIP"});
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto type = stringAt(after, {"spec", "type"});
  const auto* oldClass = find(before, {"spec", "loadBalancerClass"});
  const bool balanced = type == "LoadBalancer" && stringAt(before, {"spec", "type"}) == type;
  if (balanced && differ(oldClass, find(after, {"spec", "loadBalancerClass"})))
    report.invalid(spec.field("loadBalancerClass"), nullptr, "may not change once set");
  const bool external = stringAt(before, {"spec", "type"}) == "ExternalName" || type == "ExternalName";
  if (external || old.empty() || now.empty() || old == now) return;
  const auto list = spec.field("clusterIPs");
  report.invalid(list.item(0), json::value(jkey(now)), "may not change once set");
}

/// Only labels, annotations, taints, the status and what the cluster gives it once may change.
void checkNode(const json::object& before, const json::object& after, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& old = objectAt(before, {"spec"});
  const auto& now = objectAt(after, {"spec"});
  if (const auto range = stringAt(old, {"podCIDR"}); !range.empty() && range != stringAt(now, {"podCIDR"}))
    report.forbidden(spec.field("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
  if (const auto id = stringAt(old, {"providerID"}); !id.empty() && id != stringAt(now, {"providerID"}))
    report.forbidden(spec.field("providerID"), "node updates may not change providerID except from \"\" to valid");
  for (const auto* field : {"configSource", "externalID"})
    if (differ(memberOf(before, "spec", field), memberOf(after, "spec", field)))
      report.forbidden(root, "node updates may only change labels, taints, or capacity");
}

/// An indexed job may grow and shrink, its parallelism with it.
void checkJobSize(const json::object& before, const json::object& after, RuleReport& report) {
  const auto* old = find(before, {"spec", "completions"});
  const auto* now = find(after, {"spec", "completions"});
  if (!differ(old, now)) return;
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto at = spec.field("completions");
  const json::value said = now == nullptr ? json::value() : *now;
  if (stringAt(after, {"spec", "completionMode"}) != "Indexed")
    return report.invalid(at, said, std::string(kImmutable));
  const bool together =
      !differ(old, find(before, {"spec", "parallelism"})) && !differ(now, find(after, {"spec", "parallelism"}));
  if (!together) report.invalid(at, said, "can only be modified in tandem with parallelism");
}

/// Where pods may run is still open while a job is suspended and none of them ever ran.
void checkJobTemplate(const json::object& before, const json::object& after, RuleReport& report) {
  const auto& old = objectAt(before, {"spec", "template"});
  auto now = objectAt(after, {"spec", "template"});
  const bool open = boolAt(before, {"spec", "suspend"}) && find(before, {"status", "startTime"}) == nullptr;
  const auto keep = [](const json::object& from, json::object& to, std::string_view name) {
    const auto* value = from.if_contains(jkey(name));
    if (value == nullptr) to.erase(jkey(name));
    else to[jkey(name)] = *value;
  };
  if (open && now != old) {
    auto& metadata = ensureObject(now, "metadata");
    for (const auto* field : {"labels", "annotations"}) keep(objectAt(old, {"metadata"}), metadata, field);
    const bool bare = metadata.empty();  // asked before the next look: it may move the members
    auto& pod = ensureObject(now, "spec");
    for (const auto* field : {"nodeSelector", "tolerations", "affinity", "schedulingGates"})
      keep(objectAt(old, {"spec"}), pod, field);
    if (bare && !old.contains("metadata")) now.erase("metadata");
  }
  if (now == old) return;
  const FieldPath root;
  const auto spec = root.field("spec");
  report.invalid(spec.field("template"), objectAt(after, {"spec", "template"}), std::string(kImmutable));
}

/// Gives `after` the values that an update may change, so that what differs then is forbidden.
void takeContainerImages(const json::object& before, json::object& after) {
  for (const auto* list : {"containers", "initContainers"}) {
    auto* member = after.if_contains(list);
    const auto& old = arrayAt(before, {list});
    if (member == nullptr || !member->is_array() || member->get_array().size() != old.size()) continue;
    for (std::size_t i = 0; i < old.size(); ++i)
      if (auto* container = member->get_array()[i].if_object()) {
        const auto* image = find(old[i], {"image"});
        if (image != nullptr) (*container)["image"] = *image;
      }
  }
}

/// Everything that was asked for still is, and perhaps more.
bool narrows(const json::object& before, const json::object& after) {
  return std::all_of(before.begin(), before.end(), [&](const auto& pair) {
    const auto* now = after.if_contains(pair.key());
    return now != nullptr && *now == pair.value();
  });
}

void takeMember(const json::object& before, json::object& after, std::string_view name) {
  const auto* old = before.if_contains(jkey(name));
  if (old == nullptr) after.erase(jkey(name));
  else after[jkey(name)] = *old;
}

/// An existing toleration may only change how long it tolerates.
void checkTolerations(const FieldPath& at, const json::array& before, const json::array& after, RuleReport& report) {
  const auto bare = [](json::value toleration) {
    if (auto* o = toleration.if_object()) o->erase("tolerationSeconds");
    return toleration;
  };
  for (const auto& old : before)
    if (std::none_of(after.begin(), after.end(), [&](const json::value& t) { return bare(t) == bare(old); }))
      return report.forbidden(at, "existing toleration can not be modified except its tolerationSeconds");
}

void checkDeadline(const FieldPath& at, const json::object& before, const json::object& after, RuleReport& report) {
  const auto* now = memberOf(after, "", "activeDeadlineSeconds");
  const auto old = intAt(before, {"activeDeadlineSeconds"}, -1);
  if (old < 0) return;
  if (now == nullptr) report.invalid(at, nullptr, "must not update from a positive integer to nil value");
  else if (asInt(*now).value_or(0) > old) report.invalid(at, *now, "must be less than or equal to previous value");
}

/// The same containers, perhaps of other images.
bool sameContainers(const FieldPath& at, const json::object& before, const json::object& after, RuleReport& report) {
  for (const auto* list : {"initContainers", "containers"}) {
    if (arrayAt(before, {list}).size() == arrayAt(after, {list}).size()) continue;
    report.forbidden(at.field(list), "pod updates may not add or remove containers");
    return false;
  }
  return true;
}

void checkPod(const json::object& before, const json::object& after, RuleReport& report) {
  const auto& old = objectAt(before, {"spec"});
  auto now = objectAt(after, {"spec"});
  const FieldPath root;
  const auto at = root.field("spec");
  if (!sameContainers(at, old, now, report)) return;
  checkDeadline(at.field("activeDeadlineSeconds"), old, now, report);
  checkTolerations(at.field("tolerations"), arrayAt(old, {"tolerations"}), arrayAt(now, {"tolerations"}), report);
  const auto gates = at.field("schedulingGates");
  const bool gated = !arrayAt(old, {"schedulingGates"}).empty();
  std::size_t i = 0;
  for (const auto& gate : arrayAt(now, {"schedulingGates"})) {
    const auto here = gates.item(i++);
    const auto& known = arrayAt(old, {"schedulingGates"});
    if (std::find(known.begin(), known.end(), gate) == known.end())
      report.forbidden(here.field("name"), "only deletion is allowed");
  }
  for (const auto* field : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) takeMember(old, now, field);
  takeContainerImages(old, now);
  // A negative grace period is the way to ask for one second.
  if (intAt(old, {"terminationGracePeriodSeconds"}) < 0 && intAt(now, {"terminationGracePeriodSeconds"}) == 1)
    takeMember(old, now, "terminationGracePeriodSeconds");
  // Where a pod that waits at a gate may run can still be narrowed.
  if (gated && narrows(objectAt(old, {"nodeSelector"}), objectAt(now, {"nodeSelector"})))
    takeMember(old, now, "nodeSelector");
  if (now == old) return;
  report.forbidden(
      at,
      "pod updates may not change fields other than `spec.containers[*].image`, "
      "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to "
      "existing tolerations), `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)");
}

/// Everything but these fields stays.
void checkFrozenSpec(const json::object& before, const json::object& after, std::initializer_list<const char*> free,
                     const char* why, RuleReport& report) {
  const auto& old = objectAt(before, {"spec"});
  auto now = objectAt(after, {"spec"});
  for (const auto* field : free) takeMember(old, now, field);
  const FieldPath root;
  if (now != old) report.forbidden(root.field("spec"), why);
}

void checkStatefulSet(const json::object& before, const json::object& after, RuleReport& report) {
  checkFrozenSpec(before, after,
                  {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                   "persistentVolumeClaimRetentionPolicy", "minReadySeconds"},
                  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                  "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                  "'minReadySeconds' are forbidden",
                  report);
}

void checkClaim(const json::object& before, const json::object& after, RuleReport& report) {
  const auto& old = objectAt(before, {"spec"});
  json::object changed = after;
  auto& now = ensureObject(changed, "spec");
  const bool bound = stringAt(before, {"status", "phase"}) == "Bound";
  // A claim is bound once, and takes a class once.
  for (const auto* field : {"volumeName", "storageClassName"})
    if (stringAt(old, {field}).empty()) takeMember(old, now, field);
  if (bound) {
    takeMember(old, now, "volumeAttributesClassName");
    if (const auto* size = find(old, {"resources", "requests", "storage"}))
      ensureObject(ensureObject(now, "resources"), "requests")["storage"] = *size;
  }
  checkFrozenSpec(before, changed, {},
                  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                  "claims",
                  report);
  const auto amount = [](const json::object& claim) {
    const auto* said = find(claim, {"spec", "resources", "requests", "storage"});
    const auto parsed = said == nullptr ? Result<Quantity>(Quantity()) : Quantity::fromJson(*said);
    return parsed.ok() ? parsed.value() : Quantity();
  };
  const FieldPath root;
  if (amount(after) < amount(before))
    report.forbidden(root.path("spec.resources.requests.storage"), "field can not be less than status.capacity");
}

void checkVolume(const json::object& before, const json::object& after, RuleReport& report) {
  constexpr std::array kOther{
      "capacity",     "accessModes", "claimRef",     "persistentVolumeReclaimPolicy", "storageClassName",
      "mountOptions", "volumeMode",  "nodeAffinity", "volumeAttributesClassName"};
  const auto& old = objectAt(before, {"spec"});
  auto now = objectAt(after, {"spec"});
  for (const auto* field : kOther) takeMember(old, now, field);
  const FieldPath root;
  if (now != old)
    report.forbidden(root.path("spec.persistentvolumesource"),
                     "spec.persistentvolumesource is immutable after creation");
  const auto* affinity = memberOf(before, "spec", "nodeAffinity");
  if (affinity != nullptr && differ(affinity, memberOf(after, "spec", "nodeAffinity")))
    report.invalid(root.field("nodeAffinity"), nullptr, std::string(kImmutable));
}

/// What a driver said of a node stays while the driver does.
void checkDrivers(const json::object& before, const json::object& after, RuleReport& report) {
  const FieldPath root;
  for (const auto& old : arrayAt(before, {"spec", "drivers"}))
    for (const auto& now : arrayAt(after, {"spec", "drivers"}))
      if (stringAt(old, {"name"}) == stringAt(now, {"name"}) && old != now)
        report.invalid(root.path("spec.drivers"), nullptr, std::string(kImmutable));
}

void checkDefinitionNames(const json::object& before, const json::object& after, RuleReport& report) {
  const FieldPath root;
  const auto names = root.path("spec.names");
  for (const auto* field : {"plural", "kind"})
    if (stringAt(before, {"spec", "names", field}) != stringAt(after, {"spec", "names", field}))
      report.invalid(names.field(field), nullptr, std::string(kImmutable));
  const auto& versions = arrayAt(after, {"spec", "versions"});
  for (const auto& old : arrayAt(before, {"spec", "versions"})) {
    const auto name = stringAt(old, {"name"});
    const bool kept = std::any_of(versions.begin(), versions.end(),
                                  [&](const json::value& v) { return stringAt(v, {"name"}) == name; });
    const auto stored = root.path("status.storedVersions");
    if (boolAt(old, {"storage"}) && !kept)
      report.invalid(stored.item(0), json::value(jkey(name)), "must appear in spec.versions");
  }
}

}  // namespace

std::vector<Finding> checkImmutable(const KindSchema& kind, const json::object& before, const json::object& after) {
  const bool core = kind.gvk.group.empty();
  const auto& name = kind.gvk.kind;
  RuleReport report(core && name == "Secret" ? RuleReport::Values::hidden : RuleReport::Values::quoted);
  checkRows(kind, before, after, report);
  if (core && (name == "ConfigMap" || name == "Secret")) checkFrozenData(before, after, report);
  if (core && name == "Service") checkService(before, after, report);
  if (core && name == "Node") checkNode(before, after, report);
  if (core && name == "Pod") checkPod(before, after, report);
  if (core && name == "PersistentVolumeClaim") checkClaim(before, after, report);
  if (core && name == "PersistentVolume") checkVolume(before, after, report);
  if (name == "StatefulSet") checkStatefulSet(before, after, report);
  if (name == "CSINode") checkDrivers(before, after, report);
  if (name == "CustomResourceDefinition") checkDefinitionNames(before, after, report);
  if (kind.gvk.group == "batch" && name == "Job") {
    checkJobSize(before, after, report);
    checkJobTemplate(before, after, report);
  }
  return report.take();
}

}  // namespace steer
