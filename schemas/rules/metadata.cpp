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
  if (gvk.group == "steersman.dev") return checkDns1123Label;  // an application's name is the value of a label
  if (!gvk.group.empty()) return checkDns1123Subdomain;
  if (gvk.kind == "Service") return checkDns1035Label;
  if (gvk.kind == "Namespace") return checkDns1123Label;
  return checkDns1123Subdomain;
}

void checkName(const KindSchema& kind, const json::object& metadata, const FieldPath& at, RuleReport& report) {
  const auto name = stringAt(metadata, {"name"});
  const auto prefix = stringAt(metadata, {"generateName"});
  const auto check = nameCheckOf(kind);
  if (!prefix.empty()) {
    // What will be appended is letters and digits, so a trailing dash is fine.
    auto sample = std::string(prefix);
    if (sample.back() == '-') sample.back() = 'a';
    report.check(at.field("generateName"), prefix, check(sample));
  }
  if (!name.empty()) {
    report.check(at.field("name"), name, check);
  } else if (prefix.empty()) {
    report.required(at.field("name"), "name or generateName is required");
  }
}

void checkOwners(const json::object& metadata, const FieldPath& at, RuleReport& report) {
  const auto owners = at.field("ownerReferences");
  std::size_t i = 0;
  bool controller = false;
  for (const auto& owner : arrayAt(metadata, {"ownerReferences"})) {
    const auto here = owners.item(i++);
    for (const auto* field : {"apiVersion", "kind", "name", "uid"})
      if (stringAt(owner, {field}).empty()) report.required(here.field(field));
    if (!boolAt(owner, {"controller"})) continue;
    if (controller) report.invalid(owners, nullptr, "only one reference can have controller set to true");
    controller = true;
  }
}

}  // namespace

void checkLabels(const FieldPath& at, const json::object& labels, RuleReport& report) {
  for (const auto& [key, value] : labels) {
    const std::string_view name(key.data(), key.size());
    report.check(at.key(name), name, checkQualifiedName);
    if (const auto* text = value.if_string()) report.check(at.key(name), view(*text), checkLabelValue);
  }
}

void checkAnnotations(const FieldPath& at, const json::object& annotations, RuleReport& report) {
  std::size_t size = 0;
  for (const auto& [key, value] : annotations) {
    const std::string_view name(key.data(), key.size());
    std::string lower(name);  // annotation keys may have capitals in the prefix
    for (auto& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    report.check(at.key(name), name, checkQualifiedName(lower));
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
  const auto ns = stringAt(meta, {"namespace"});
  if (!ns.empty()) {
    if (kind.namespaced) report.check(at.field("namespace"), ns, checkDns1123Label);
    else report.forbidden(at.field("namespace"), "not allowed on this type");
  }
  checkLabels(at.field("labels"), objectAt(meta, {"labels"}), report);
  const auto annotations = at.field("annotations");
  checkAnnotations(annotations, objectAt(meta, {"annotations"}), report);
  checkSyncOrder(annotations, object, report);
  checkOwners(meta, at, report);
  std::size_t i = 0;
  const auto finalizers = at.field("finalizers");
  for (const auto& item : arrayAt(meta, {"finalizers"})) {
    const auto here = finalizers.item(i++);
    if (item.is_string()) report.check(here, view(item.get_string()), checkQualifiedName);
  }
}

}  // namespace steer
