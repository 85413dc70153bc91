// Roles and what binds them.
#include "core/selector.h"
#include "schemas/rules/reading.h"

namespace steer {
namespace {

constexpr const char* kGroup = "rbac.authorization.k8s.io";

enum class Reach { oneNamespace, cluster };

void checkPolicyRules(const json::object& object, Reach reach, RuleReport& report) {
  const FieldPath root;
  eachObject(root, object, "rules", [&](const FieldPath& at, const json::object& rule) {
    const auto empty = [&](const char* field) { return items(rule, field).empty(); };
    if (empty("verbs")) report.required(at.field("verbs"), "verbs must contain at least one value");
    if (!empty("nonResourceURLs")) {
      const auto urls = at.field("nonResourceURLs");
      if (reach == Reach::oneNamespace)
        report.invalid(urls, nullptr, "namespaced rules cannot apply to non-resource URLs");
      if (!empty("apiGroups") || !empty("resources") || !empty("resourceNames"))
        report.invalid(urls, nullptr, "rules cannot apply to both regular resources and non-resource URLs");
      return;
    }
    if (empty("apiGroups"))
      report.required(at.field("apiGroups"), "resource rules must supply at least one api group (\"\" is the core)");
    if (empty("resources")) report.required(at.field("resources"), "resource rules must supply at least one resource");
  });
}

void checkRoleRef(const json::object& object, const std::vector<std::string>& kinds, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("roleRef");
  const auto& ref = members(object, "roleRef");
  const auto group = text(ref, "apiGroup");
  if (group != kGroup) report.unsupported(at.field("apiGroup"), quoted(group), {kGroup});
  checkEnum(at.field("kind"), text(ref, "kind"), kinds, report, Empty::unsupported);
  if (checkPresent(at, ref, "name", report)) report.check(at.field("name"), text(ref, "name"), checkPathSegment);
}

void checkSubjects(const json::object& object, Reach reach, RuleReport& report) {
  const FieldPath root;
  eachObject(root, object, "subjects", [&](const FieldPath& at, const json::object& subject) {
    const auto kind = text(subject, "kind");
    const auto group = text(subject, "apiGroup");
    const auto name = text(subject, "name");
    if (name.empty()) report.required(at.field("name"));
    if (kind == "ServiceAccount") {
      if (!name.empty()) report.check(at.field("name"), name, checkDns1123Subdomain);
      if (!group.empty()) report.unsupported(at.field("apiGroup"), quoted(group), {""});
      if (reach == Reach::cluster && text(subject, "namespace").empty())
        report.required(at.field("namespace"), "of the service account");
    } else if (kind == "User" || kind == "Group") {
      if (group != kGroup) report.unsupported(at.field("apiGroup"), quoted(group), {kGroup});
    } else {
      report.unsupported(at.field("kind"), quoted(kind), {"ServiceAccount", "User", "Group"});
    }
  });
}

}  // namespace

void checkRole(const json::object& object, RuleReport& report) {
  checkPolicyRules(object, Reach::oneNamespace, report);
}

void checkClusterRole(const json::object& object, RuleReport& report) {
  checkPolicyRules(object, Reach::cluster, report);
  const auto* aggregation = part(object, "aggregationRule");
  if (aggregation == nullptr) return;
  const FieldPath root;
  const auto at = root.field("aggregationRule");
  if (items(*aggregation, "clusterRoleSelectors").empty())
    report.required(at.field("clusterRoleSelectors"),
                    "at least one clusterRoleSelector required if aggregationRule is non-nil");
  eachObject(at, *aggregation, "clusterRoleSelectors", [&](const FieldPath& here, const json::object& selector) {
    const auto before = report.count();
    const json::value said = selector;
    checkLabelSelector(here, &said, report);
    if (report.count() != before) report.invalid(here, nullptr, "invalid label selector");
  });
}

void checkRoleBinding(const json::object& object, RuleReport& report) {
  checkRoleRef(object, {"Role", "ClusterRole"}, report);
  checkSubjects(object, Reach::oneNamespace, report);
}

void checkClusterRoleBinding(const json::object& object, RuleReport& report) {
  checkRoleRef(object, {"ClusterRole"}, report);
  checkSubjects(object, Reach::cluster, report);
}

}  // namespace steer
