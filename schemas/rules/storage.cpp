// Volumes, the claims on them, and what storage is made of.
#include <set>

#include "core/quantity.h"
#include "schemas/rules/class_parameters.h"
#include "schemas/rules/pod_rules.h"
#include "schemas/rules/resource_names.h"
#include "schemas/rules/volume_sources.h"

namespace steer {
namespace {

void checkAccessModes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("accessModes");
  const auto& list = items(spec, "accessModes");
  if (list.empty()) return report.required(here, "at least 1 access mode is required");
  bool alone = false;
  std::size_t i = 0;
  for (const auto& item : list) {
    const auto index = std::to_string(i++);
    const auto mode = item.is_string() ? view(item.get_string()) : std::string_view();
    alone = alone || mode == "ReadWriteOncePod";
    checkEnum(here.within(index), mode, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"}, report,
              Empty::unsupported);
  }
  if (alone && list.size() > 1) report.forbidden(here, "may not use ReadWriteOncePod with other access modes");
}

void checkPositive(const FieldPath& at, const json::value& value, RuleReport& report) {
  const auto amount = Quantity::fromJson(value);
  if (amount.ok() && amount.value() <= Quantity()) report.invalid(at, value, "must be greater than zero");
}

void checkMode(const FieldPath& at, const json::object& spec, RuleReport& report) {
  if (given(spec, "volumeMode") != nullptr)
    checkEnum(at.field("volumeMode"), text(spec, "volumeMode"), {"Block", "Filesystem"}, report, Empty::unsupported);
}

void checkClassName(const FieldPath& at, const json::object& spec, const char* field, RuleReport& report) {
  if (const auto name = text(spec, field); !name.empty()) report.check(at.field(field), name, checkDns1123Subdomain);
}

void checkDataSource(const FieldPath& at, const json::object* source, RuleReport& report) {
  if (source == nullptr) return;
  checkPresent(at, *source, "name", report);
  checkPresent(at, *source, "kind", report);
  const auto group = text(*source, "apiGroup");
  if (!group.empty()) report.check(at.field("apiGroup"), group, checkDns1123Subdomain);
  else if (text(*source, "kind") != "PersistentVolumeClaim")
    report.invalid(at, quoted(text(*source, "kind")),
                   "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
}

void checkVolumeAffinity(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* affinity = part(spec, "nodeAffinity");
  if (affinity == nullptr) return;
  const auto here = at.path("nodeAffinity.required");
  const auto* required = given(*affinity, "required");
  if (required == nullptr) report.required(here, "must specify required node constraints");
  else checkNodeSelector(here, required, report);
}

void checkCapacity(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("capacity");
  const auto& capacity = members(spec, "capacity");
  if (capacity.empty()) report.required(here, "such as storage: 10Gi");
  if (!capacity.contains("storage") || capacity.size() > 1) report.unsupported(here, nullptr, {"storage"});
  for (const auto& [key, value] : capacity) checkPositive(here.key({key.data(), key.size()}), value, report);
}

}  // namespace

void checkClaimSpec(const FieldPath& at, const json::object& spec, RuleReport& report) {
  checkLabelSelector(at.field("selector"), given(spec, "selector"), report);
  checkAccessModes(at, spec, report);
  const auto resources = at.field("resources");
  const auto* storage = find(spec, {"resources", "requests", "storage"});
  if (storage == nullptr) report.required(resources.key("storage"), "such as requests: {storage: 10Gi}");
  else checkPositive(resources.key("storage"), *storage, report);
  checkClassName(at, spec, "storageClassName", report);
  checkClassName(at, spec, "volumeAttributesClassName", report);
  checkMode(at, spec, report);
  const auto source = at.field("dataSource");
  const auto ref = at.field("dataSourceRef");
  checkDataSource(source, part(spec, "dataSource"), report);
  checkDataSource(ref, part(spec, "dataSourceRef"), report);
  if (const auto* to = part(spec, "dataSourceRef"); to != nullptr && !text(*to, "namespace").empty()) {
    report.check(ref.field("namespace"), text(*to, "namespace"), checkDns1123Label);
    if (part(spec, "dataSource") != nullptr)
      report.invalid(at, "dataSource", "may not be specified when dataSourceRef.namespace is specified");
  } else if (to != nullptr && part(spec, "dataSource") != nullptr) {
    for (const auto* field : {"apiGroup", "kind", "name"})
      if (text(*to, field) != text(*part(spec, "dataSource"), field)) {
        report.invalid(at, "dataSource", "must match dataSourceRef");
        break;
      }
  }
}

void checkClaimTemplate(const FieldPath& at, const json::object& claim, RuleReport& report) {
  const auto metadata = at.field("metadata");
  const auto spec = at.field("spec");
  checkLabels(metadata.field("labels"), objectAt(claim, {"metadata", "labels"}), report);
  checkAnnotations(metadata.field("annotations"), objectAt(claim, {"metadata", "annotations"}), report);
  checkClaimSpec(spec, members(claim, "spec"), report);
}

void checkClaim(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  checkClaimSpec(spec, members(object, "spec"), report);
}

void checkVolume(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  checkAccessModes(at, spec, report);
  checkCapacity(at, spec, report);
  checkEnum(at.field("persistentVolumeReclaimPolicy"), text(spec, "persistentVolumeReclaimPolicy"),
            {"Delete", "Recycle", "Retain"}, report);
  checkVolumeAffinity(at, spec, report);
  const auto sources = checkVolumeSources(at, spec, VolumeHolder::persistent, 0, report);
  if (sources == 0) report.required(at, "must specify a volume type, such as hostPath, nfs, local or csi");
  if (sources == 1 && part(spec, "local") != nullptr && part(spec, "nodeAffinity") == nullptr)
    report.required(at.field("nodeAffinity"), "Local volume requires node affinity");
  if (stringAt(spec, {"hostPath", "path"}) == "/" && text(spec, "persistentVolumeReclaimPolicy") == "Recycle")
    report.forbidden(at.field("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
  checkClassName(at, spec, "storageClassName", report);
  checkMode(at, spec, report);
  if (given(spec, "volumeAttributesClassName") == nullptr) return;
  if (text(spec, "volumeAttributesClassName").empty())
    report.required(at.field("volumeAttributesClassName"), "an empty string is disallowed");
  else checkClassName(at, spec, "volumeAttributesClassName", report);
  if (part(spec, "csi") == nullptr)
    report.required(at.field("csi"), "has to be specified when using volumeAttributesClassName");
}

/// The volume of an attachment that no object stands for: only how the driver finds it.
void checkInlineVolume(const FieldPath& at, const json::object& spec, RuleReport& report) {
  checkAccessModes(at, spec, report);
  for (const auto* field : {"persistentVolumeReclaimPolicy", "storageClassName"})
    if (!text(spec, field).empty())
      report.forbidden(at.field(field), "may not be specified in the context of inline volumes");
  for (const auto* field : {"claimRef", "nodeAffinity"})
    if (given(spec, field) != nullptr)
      report.forbidden(at.field(field), "may not be specified in the context of inline volumes");
  if (!members(spec, "capacity").empty())
    report.forbidden(at.field("capacity"), "may not be specified in the context of inline volumes");
  if (checkVolumeSources(at, spec, VolumeHolder::persistent, 0, report) == 0)
    report.required(at, "must specify a volume type");
  if (given(spec, "volumeMode") != nullptr && text(spec, "volumeMode") != "Filesystem")
    report.forbidden(at.field("volumeMode"),
                     "may not specify volumeMode other than Filesystem in the context of inline "
                     "volumes");
}

void checkAttachment(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  // What it says is looked at once: it may not change.
  if (report.creating()) checkDriverName(at.field("attacher"), text(spec, "attacher"), report);
  else checkPresent(at, spec, "attacher", report);
  report.check(at.field("nodeName"), text(spec, "nodeName"), checkDns1123Subdomain);
  const auto source = at.field("source");
  const auto& said = members(spec, "source");
  const auto* inside = part(said, "inlineVolumeSpec");
  const bool byName = given(said, "persistentVolumeName") != nullptr;
  if (inside == nullptr && !byName)
    return report.required(source, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  if (inside != nullptr && byName)
    return report.forbidden(source, "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  const auto here = source.field("inlineVolumeSpec");
  if (inside != nullptr) checkInlineVolume(here, *inside, report);
  else if (checkPresent(source, said, "persistentVolumeName", report); report.creating())
    report.check(source.field("persistentVolumeName"), text(said, "persistentVolumeName"), checkDns1123Subdomain);
}

void checkStorageClass(const json::object& object, RuleReport& report) {
  const FieldPath root;
  checkProvisioner(root.field("provisioner"), text(object, "provisioner"), report);
  checkParameters(root.field("parameters"), members(object, "parameters"), report);
  checkEnum(root.field("reclaimPolicy"), text(object, "reclaimPolicy"), {"Delete", "Retain"}, report,
            given(object, "reclaimPolicy") == nullptr ? Empty::allowed : Empty::unsupported);
  if (given(object, "volumeBindingMode") == nullptr) report.required(root.field("volumeBindingMode"));
  else
    checkEnum(root.field("volumeBindingMode"), text(object, "volumeBindingMode"), {"Immediate", "WaitForFirstConsumer"},
              report, Empty::unsupported);
  std::set<std::string> seen;
  eachObject(root, object, "allowedTopologies", [&](const FieldPath& here, const json::object& term) {
    std::set<std::string, std::less<>> keys;
    eachObject(here, term, "matchLabelExpressions", [&](const FieldPath& one, const json::object& said) {
      if (items(said, "values").empty()) report.required(one.field("values"));
      std::set<std::string, std::less<>> values;
      eachText(one, said, "values", [&](const FieldPath& item, std::string_view value) {
        if (!values.emplace(value).second) report.duplicate(item, quoted(value));
      });
      const auto key = text(said, "key");
      report.check(one.field("key"), key, checkQualifiedName);
      if (!keys.emplace(key).second) report.duplicate(one.field("key"), quoted(key));
    });
    if (items(term, "matchLabelExpressions").empty() || !seen.insert(jsonCanonical(term)).second)
      report.duplicate(here.field("matchLabelExpressions"), "");
  });
}

void checkCsiDriver(const json::object& object, RuleReport& report) {
  constexpr std::int64_t kLeastSeconds = 600;
  constexpr std::int64_t kMostSeconds = std::int64_t{1} << 32;
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  for (const auto* field : {"attachRequired", "podInfoOnMount", "storageCapacity"})
    if (given(spec, field) == nullptr) report.required(at.field(field));
  if (given(spec, "fsGroupPolicy") != nullptr)
    checkEnum(at.field("fsGroupPolicy"), text(spec, "fsGroupPolicy"), {"File", "None", "ReadWriteOnceWithFSType"},
              report, Empty::unsupported);
  eachText(at, spec, "volumeLifecycleModes", [&](const FieldPath&, std::string_view mode) {
    checkEnum(at.field("volumeLifecycleModes"), mode, {"Ephemeral", "Persistent"}, report, Empty::unsupported);
  });
  std::set<std::string, std::less<>> audiences;
  eachObject(at, spec, "tokenRequests", [&](const FieldPath& here, const json::object& request) {
    if (const auto audience = text(request, "audience"); !audiences.emplace(audience).second)
      report.duplicate(here.field("audience"), quoted(audience));
    if (given(request, "expirationSeconds") == nullptr) return;
    const auto seconds = number(request, "expirationSeconds");
    const auto place = here.field("expirationSeconds");
    if (seconds < kLeastSeconds) report.invalid(place, seconds, "may not specify a duration less than 10 minutes");
    if (seconds > kMostSeconds) report.invalid(place, seconds, "may not specify a duration larger than 2^32 seconds");
  });
  const auto* nodeSeconds = given(spec, "nodeAllocatableUpdatePeriodSeconds");
  if (nodeSeconds != nullptr && asInt(*nodeSeconds).value_or(10) < 10)
    report.invalid(at.field("nodeAllocatableUpdatePeriodSeconds"), *nodeSeconds,
                   "must be greater than or equal to 10 seconds");
}

void checkCsiNode(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  std::set<std::string, std::less<>> names;
  constexpr std::size_t kLongestId = 256;
  eachObject(at, members(object, "spec"), "drivers", [&](const FieldPath& here, const json::object& driver) {
    const auto name = text(driver, "name");
    checkDriverName(here.field("name"), name, report);
    if (!names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
    const auto id = text(driver, "nodeID");
    if (id.empty()) report.required(here.field("nodeID"));
    if (id.size() > kLongestId) report.invalid(here.field("nodeID"), quoted(id), "must be 256 characters or less");
    if (const auto* allocatable = part(driver, "allocatable")) {
      const auto inside = here.field("allocatable");
      checkNotNegative(inside, *allocatable, "count", report);
    }
    std::set<std::string, std::less<>> keys;
    eachText(here, driver, "topologyKeys", [&](const FieldPath&, std::string_view key) {
      if (key.empty()) report.required(here);
      if (!keys.emplace(key).second) report.duplicate(here, quoted(key));
      report.check(here, key, checkQualifiedName);
    });
  });
}

void checkStorageCapacity(const json::object& object, RuleReport& report) {
  const FieldPath root;
  report.check(root.field("storageClassName"), text(object, "storageClassName"), checkDns1123Subdomain);
  checkLabelSelector(root.field("nodeTopology"), given(object, "nodeTopology"), report);
  for (const auto* field : {"capacity", "maximumVolumeSize"})
    if (const auto* amount = given(object, field)) {
      const auto parsed = Quantity::fromJson(*amount);
      if (parsed.ok() && parsed.value() < Quantity())
        report.invalid(root.field(field), *amount, "must be greater than or equal to 0");
    }
}

}  // namespace steer
