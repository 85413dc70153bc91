// Names, labels and annotations of every kind.
#include "schemas/rules.h"
#include "schemas/sync_order.h"

namespace steer {
namespace {

constexpr std::size_t kAnnotationLimit = 256 * 1024;

/// How a kind's objects may be named. Services have a rule of their own: their names become DNS labels
/// that may not start with a digit.
NameCheck nameCheckOf(const KindSchema& kind) {
  const auto& gvk = kind.gvk;
  if (gvk.group == "rbac.authorization.k8s.io") return checkPathSegment;
  if (gvk.group == "certificates.k8s.io") return [](std::string_view) { return NameProblem(); };
  if (gvk.group == "policy" || gvk.group == "apiextensions.k8s.io") return checkPathSegment;
  if (gvk.kind == "StatefulSet") return checkDns1123Label;     // its pods' hostnames begin with it
  if (gvk.group == "steersman.dev") return checkDns1123Label;  // an application's name is the value of a label
  if (!gvk.group.empty()) return checkDns1123Subdomain;
  if (gvk.kind == "Service") return checkDns1035Label;
  if (gvk.kind == "Namespace") return checkDns1123Label;
  return checkDns1123Subdomain;
}

/// The prefix of a name that was made long ago decides nothing; that of a replication controller never did.
bool prefixIsFree(const KindSchema& kind, bool creating) {
  if (kind.gvk.kind == "ReplicationController") return true;
  return !creating && kind.gvk.kind != "Namespace";
}

void checkName(const KindSchema& kind, const json::object& metadata, const FieldPath& at, RuleReport& report) {
  const auto name = stringAt(metadata, {"name"});
  const auto prefix = stringAt(metadata, {"generateName"});
  const auto check = nameCheckOf(kind);
  if (!prefix.empty()) {
    // What will be appended is letters and digits, so a trailing dash is fine.
    auto sample = std::string(prefix);
    if (sample.back() == '-') sample.back() = 'a';
    const bool loose = prefixIsFree(kind, report.creating());
    report.check(at.field("generateName"), prefix, loose ? checkPathSegment(sample) : check(sample));
  }
  if (!name.empty()) {
    report.check(at.field("name"), name, check);
  } else if (prefix.empty()) {
    report.required(at.field("name"), "name or generateName is required");
  }
}

/// Findings name the list, not the reference, as Kubernetes' do.
void checkOwners(const json::object& metadata, const FieldPath& at, RuleReport& report) {
  const auto owners = at.field("ownerReferences");
  bool controller = false;
  for (const auto& owner : arrayAt(metadata, {"ownerReferences"})) {
    for (const auto* field : {"apiVersion", "kind", "name", "uid"})
      if (stringAt(owner, {field}).empty())
        report.invalid(owners.field(field), "", std::string(field) + " must not be empty");
    if (stringAt(owner, {"apiVersion"}) == "v1" && stringAt(owner, {"kind"}) == "Event")
      report.invalid(owners, nullptr, "v1, Kind=Event is disallowed from being an owner");
    if (!boolAt(owner, {"controller"})) continue;
    if (controller) report.invalid(owners, nullptr, "only one reference can have controller set to true");
    controller = true;
  }
}

/// Kinds outside Kubernetes' core validation may have finalizers without a domain.
bool qualifiesFinalizers(const KindSchema& kind) {
  const auto& group = kind.gvk.group;
  return group != "node.k8s.io" && group != "coordination.k8s.io" && group != "apiextensions.k8s.io" &&
         group != "policy" && group != "admissionregistration.k8s.io" && group != "steersman.dev";
}

void checkFinalizers(const KindSchema& kind, const json::object& metadata, const FieldPath& at, RuleReport& report) {
  const auto list = at.field("finalizers");
  std::size_t i = 0;
  bool orphan = false;
  bool foreground = false;
  for (const auto& item : arrayAt(metadata, {"finalizers"})) {
    const auto here = list.item(i);
    const auto index = std::to_string(i++);
    const auto name = item.is_string() ? view(item.get_string()) : std::string_view();
    report.check(list.within(index), name, checkQualifiedName);
    const bool standard = name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
    if (!standard && name.find('/') == std::string_view::npos && qualifiesFinalizers(kind))
      report.invalid(here, json::value(jkey(name)),
                     "name is neither a standard finalizer name nor is it fully qualified");
    orphan = orphan || name == "orphan";
    foreground = foreground || name == "foregroundDeletion";
  }
  if (orphan && foreground) report.invalid(list, nullptr, "finalizer orphan and foregroundDeletion cannot be both set");
}

}  // namespace

void checkFinalizerName(const FieldPath& at, std::string_view name, RuleReport& report) {
  report.check(at, name, checkQualifiedName);
  if (name != "kubernetes" && name.find('/') == std::string_view::npos)
    report.invalid(at, json::value(jkey(name)), "name is neither a standard finalizer name nor is it fully qualified");
}

void checkLabels(const FieldPath& at, const json::object& labels, RuleReport& report) {
  for (const auto& [key, value] : labels) {
    const std::string_view name(key.data(), key.size());
    report.check(at.within(name), name, checkQualifiedName);
    if (const auto* text = value.if_string()) report.check(at.within(name), view(*text), checkLabelValue);
  }
}

void checkAnnotations(const FieldPath& at, const json::object& annotations, RuleReport& report) {
  std::size_t size = 0;
  for (const auto& [key, value] : annotations) {
    const std::string_view name(key.data(), key.size());
    std::string lower(name);  // annotation keys may have capitals in the prefix
    for (auto& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    report.check(at.within(name), name, checkQualifiedName(lower));
    size += name.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (size > kAnnotationLimit) report.tooLong(at, "may not be more than 262144 bytes");
}

void checkMetadata(const KindSchema& kind, const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("metadata");
  const auto* metadata = object.if_contains("metadata");
  if (metadata != nullptr && !metadata->is_object() && !metadata->is_null()) return;  // a finding of the structure
  const auto& meta = objectAt(object, {"metadata"});
  // Reviews are questions, not objects: they have no name.
  const bool review = kind.verbs.size() == 1 && kind.verbs[0] == "create";
  if (!review) checkName(kind, meta, at, report);
  // What belongs to no namespace loses a namespace that somebody wrote.
  const auto ns = stringAt(meta, {"namespace"});
  if (!ns.empty() && kind.namespaced) report.check(at.field("namespace"), ns, checkDns1123Label);
  checkLabels(at.field("labels"), objectAt(meta, {"labels"}), report);
  const auto annotations = at.field("annotations");
  checkAnnotations(annotations, objectAt(meta, {"annotations"}), report);
  checkSyncOrder(annotations, object, report);
  checkOwners(meta, at, report);
  checkFinalizers(kind, meta, at, report);
}

}  // namespace steer
