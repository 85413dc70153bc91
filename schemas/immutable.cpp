#include "schemas/immutable.h"

#include <algorithm>
#include <array>

#include "schemas/rules.h"

namespace steer {
namespace {

constexpr std::string_view kImmutable = "field is immutable";

struct Row {
  std::string_view apiVersion;
  std::string_view kind;
  std::string_view parent;  ///< "" = top level
  std::string_view field;
};

constexpr std::array kRows{
    Row{"apps/v1", "Deployment", "spec", "selector"},
    Row{"apps/v1", "ReplicaSet", "spec", "selector"},
    Row{"apps/v1", "DaemonSet", "spec", "selector"},
    Row{"apps/v1", "StatefulSet", "spec", "selector"},
    Row{"apps/v1", "StatefulSet", "spec", "serviceName"},
    Row{"apps/v1", "StatefulSet", "spec", "podManagementPolicy"},
    Row{"apps/v1", "StatefulSet", "spec", "volumeClaimTemplates"},
    Row{"batch/v1", "Job", "spec", "selector"},
    Row{"batch/v1", "Job", "spec", "completionMode"},
    Row{"batch/v1", "Job", "spec", "podFailurePolicy"},
    Row{"batch/v1", "Job", "spec", "successPolicy"},
    Row{"batch/v1", "Job", "spec", "backoffLimitPerIndex"},
    Row{"batch/v1", "Job", "spec", "managedBy"},
    Row{"v1", "Secret", "", "type"},
    Row{"v1", "PersistentVolumeClaim", "spec", "accessModes"},
    Row{"v1", "PersistentVolumeClaim", "spec", "storageClassName"},
    Row{"v1", "PersistentVolumeClaim", "spec", "volumeMode"},
    Row{"rbac.authorization.k8s.io/v1", "RoleBinding", "", "roleRef"},
    Row{"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "roleRef"},
    Row{"storage.k8s.io/v1", "StorageClass", "", "provisioner"},
    Row{"storage.k8s.io/v1", "StorageClass", "", "parameters"},
    Row{"storage.k8s.io/v1", "StorageClass", "", "reclaimPolicy"},
    Row{"storage.k8s.io/v1", "StorageClass", "", "volumeBindingMode"},
    Row{"discovery.k8s.io/v1", "EndpointSlice", "", "addressType"},
    Row{"scheduling.k8s.io/v1", "PriorityClass", "", "value"},
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
    const auto at = (row.parent.empty() ? root : parent).field(row.field);
    report.invalid(at, now == nullptr ? json::value() : *now, std::string(kImmutable));
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
  const bool external =
      stringAt(before, {"spec", "type"}) == "ExternalName" || stringAt(after, {"spec", "type"}) == "ExternalName";
  if (external || old.empty() || now.empty() || old == now) return;
  const FieldPath root;
  const auto spec = root.field("spec");
  report.invalid(spec.field("clusterIP"), json::value(jkey(now)), std::string(kImmutable));
}

void checkNode(const json::object& before, const json::object& after, RuleReport& report) {
  const auto old = stringAt(before, {"spec", "podCIDR"});
  if (old.empty() || old == stringAt(after, {"spec", "podCIDR"})) return;
  const FieldPath root;
  const auto spec = root.field("spec");
  report.forbidden(spec.field("podCIDR"), "node updates may not change podCIDR except from \"\" to valid");
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

bool onlyAdds(const json::array& before, const json::array& after) {
  return std::all_of(before.begin(), before.end(),
                     [&](const json::value& t) { return std::find(after.begin(), after.end(), t) != after.end(); });
}

void takeMember(const json::object& before, json::object& after, std::string_view name) {
  const auto* old = before.if_contains(jkey(name));
  if (old == nullptr) after.erase(jkey(name));
  else after[jkey(name)] = *old;
}

void checkPod(const json::object& before, const json::object& after, RuleReport& report) {
  const auto& old = objectAt(before, {"spec"});
  auto now = objectAt(after, {"spec"});
  const FieldPath root;
  const auto at = root.field("spec");
  const auto deadline = intAt(now, {"activeDeadlineSeconds"}, -1);
  const auto oldDeadline = intAt(old, {"activeDeadlineSeconds"}, -1);
  if (oldDeadline >= 0 && (deadline < 0 || deadline > oldDeadline))
    report.invalid(at.field("activeDeadlineSeconds"), deadline, "must be less than or equal to previous value");
  takeMember(old, now, "activeDeadlineSeconds");
  takeContainerImages(old, now);
  if (onlyAdds(arrayAt(old, {"tolerations"}), arrayAt(now, {"tolerations"}))) takeMember(old, now, "tolerations");
  // A negative grace period is the way to ask for one second.
  if (intAt(old, {"terminationGracePeriodSeconds"}) < 0 && intAt(now, {"terminationGracePeriodSeconds"}) == 1)
    takeMember(old, now, "terminationGracePeriodSeconds");
  if (onlyAdds(arrayAt(now, {"schedulingGates"}), arrayAt(old, {"schedulingGates"})))
    takeMember(old, now, "schedulingGates");
  if (now == old) return;
  report.forbidden(
      at,
      "pod updates may not change fields other than `spec.containers[*].image`, "
      "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to "
      "existing tolerations), `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
      "previously negative)");
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
  if (kind.gvk.group == "batch" && name == "Job") {
    checkJobSize(before, after, report);
    checkJobTemplate(before, after, report);
  }
  return report.take();
}

}  // namespace steer
