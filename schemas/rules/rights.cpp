// Roles and what binds them.
#include "schemas/rules.h"

namespace steer {
namespace {

constexpr const char* kGroup = "rbac.authorization.k8s.io";

enum class Reach { oneNamespace, cluster };

void checkPolicyRules(const json::object& object, Reach reach, RuleReport& report) {
  const FieldPath root;
  const auto rules = root.field("rules");
  std::size_t i = 0;
  for (const auto& rule : arrayAt(object, {"rules"})) {
    const auto at = rules.item(i++);
    if (!rule.is_object()) continue;
    const auto& said = rule.get_object();
    const auto empty = [&](const char* field) { return arrayAt(said, {field}).empty(); };
    if (empty("verbs") && said.contains("verbs"))
      report.required(at.field("verbs"), "verbs must contain at least one value");
    const auto urls = at.field("nonResourceURLs");
    if (!empty("nonResourceURLs")) {
      if (reach == Reach::oneNamespace)
        report.invalid(urls, nullptr, "namespaced rules cannot apply to non-resource URLs");
      if (!empty("apiGroups") || !empty("resources") || !empty("resourceNames"))
        report.invalid(urls, nullptr, "rules cannot apply to both regular resources and non-resource URLs");
      continue;
    }
    if (empty("apiGroups"))
      report.required(at.field("apiGroups"), "resource rules must supply at least one api group (\"\" is the core)");
    if (empty("resources")) report.required(at.field("resources"), "resource rules must supply at least one resource");
  }
}

void checkRoleRef(const json::object& object, const std::vector<std::string>& kinds, RuleReport& report) {
  const auto* ref = find(object, {"roleRef"});
  if (ref == nullptr || !ref->is_object()) return;
  const FieldPath root;
  const auto at = root.field("roleRef");
  const auto group = stringAt(*ref, {"apiGroup"});
  const auto kind = stringAt(*ref, {"kind"});
  const auto name = stringAt(*ref, {"name"});
  if (!group.empty() && group != kGroup) report.unsupported(at.field("apiGroup"), json::value(jkey(group)), {kGroup});
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    report.unsupported(at.field("kind"), json::value(jkey(kind)), kinds);
  if (!name.empty()) report.check(at.field("name"), name, checkPathSegment);
  else if (ref->get_object().contains("name")) report.required(at.field("name"));
}

void checkSubjects(const json::object& object, Reach reach, RuleReport& report) {
  const FieldPath root;
  const auto subjects = root.field("subjects");
  std::size_t i = 0;
  for (const auto& subject : arrayAt(object, {"subjects"})) {
    const auto at = subjects.item(i++);
    if (!subject.is_object()) continue;
    const auto kind = stringAt(subject, {"kind"});
    const auto group = stringAt(subject, {"apiGroup"});
    const auto name = stringAt(subject, {"name"});
    if (name.empty() && subject.get_object().contains("name")) report.required(at.field("name"));
    if (kind == "ServiceAccount") {
      if (!name.empty()) report.check(at.field("name"), name, checkDns1123Subdomain);
      if (!group.empty()) report.unsupported(at.field("apiGroup"), json::value(jkey(group)), {""});
      if (reach == Reach::cluster && stringAt(subject, {"namespace"}).empty())
        report.required(at.field("namespace"), "of the service account");
    } else if (kind == "User" || kind == "Group") {
      if (!group.empty() && group != kGroup)
        report.unsupported(at.field("apiGroup"), json::value(jkey(group)), {kGroup});
    } else {
      report.unsupported(at.field("kind"), json::value(jkey(kind)), {"ServiceAccount", "User", "Group"});
    }
  }
}

}  // namespace

void checkRole(const json::object& object, RuleReport& report) {
  checkPolicyRules(object, Reach::oneNamespace, report);
}

void checkClusterRole(const json::object& object, RuleReport& report) {
  // With an aggregation rule the controller fills in the rules.
  if (find(object, {"aggregationRule"}) == nullptr) return checkPolicyRules(object, Reach::cluster, report);
  const FieldPath root;
  const auto at = root.field("aggregationRule");
  const auto selectors = at.field("clusterRoleSelectors");
  const auto& list = arrayAt(object, {"aggregationRule", "clusterRoleSelectors"});
  if (list.empty())
    report.required(selectors, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = selectors.item(i);
    checkLabelSelector(here, &list[i], report);
  }
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
