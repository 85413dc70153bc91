// Which requests webhooks and policies match.
#include <set>

#include "schemas/rules/admission_rules.h"
#include "schemas/rules/reading.h"

namespace steer {
namespace {

bool hasWildcard(const json::array& list) {
  return std::any_of(list.begin(), list.end(), [](const json::value& item) { return item == "*"; });
}

/// Required, and "*" stands alone.
void checkWords(const FieldPath& at, const json::object& rule, std::string_view field, const char* others,
                RuleReport& report) {
  const auto& list = items(rule, field);
  if (list.empty()) report.required(at.field(field));
  if (list.size() > 1 && hasWildcard(list))
    report.invalid(at.field(field), nullptr, std::string("if '*' is present, must not specify other ") + others);
}

void checkResources(const FieldPath& at, const json::object& rule, RuleReport& report) {
  const auto& list = items(rule, "resources");
  const auto here = at.field("resources");
  if (list.empty()) report.required(here);
  std::set<std::string, std::less<>> wholeResources;    // "pods/*"
  std::set<std::string, std::less<>> everySubresource;  // "*/scale"
  bool everything = false;
  bool all = false;
  bool plain = false;
  eachText(at, rule, "resources", [&](const FieldPath& item, std::string_view said) {
    if (said.empty()) return report.required(item);
    everything = everything || said == "*/*";
    all = all || said == "*";
    const auto slash = said.find('/');
    if (slash == std::string_view::npos) {
      plain = said != "*";
      return;
    }
    const auto resource = said.substr(0, slash);
    const auto sub = said.substr(slash + 1);
    if (wholeResources.contains(resource))
      report.invalid(item, quoted(said), "if '" + std::string(resource) + "/*' is present, must not be specified");
    if (everySubresource.contains(sub))
      report.invalid(item, quoted(said), "if '*/" + std::string(sub) + "' is present, must not be specified");
    if (sub == "*") wholeResources.emplace(resource);
    if (resource == "*") everySubresource.emplace(sub);
  });
  if (list.size() > 1 && everything)
    report.invalid(here, nullptr, "if '*/*' is present, must not specify other resources");
  if (all && plain)
    report.invalid(here, nullptr, "if '*' is present, must not specify other resources without subresources");
}

void checkNamedRules(const FieldPath& at, const json::object& holder, std::string_view field, RuleReport& report) {
  eachObject(at, holder, field, [&](const FieldPath& here, const json::object& rule) {
    std::set<std::string, std::less<>> names;
    eachText(here, rule, "resourceNames", [&](const FieldPath& item, std::string_view name) {
      report.check(item, name, checkPathSegment);
      if (!names.emplace(name).second) report.duplicate(item, quoted(name));
    });
    checkAdmissionRule(here, rule, report);
  });
}

}  // namespace

void checkAdmissionRule(const FieldPath& at, const json::object& rule, RuleReport& report) {
  checkWords(at, rule, "operations", "operations", report);
  eachText(at, rule, "operations", [&](const FieldPath& item, std::string_view operation) {
    checkEnum(item, operation, {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"}, report, Empty::unsupported);
  });
  checkWords(at, rule, "apiGroups", "API groups", report);
  checkWords(at, rule, "apiVersions", "API versions", report);
  eachText(at, rule, "apiVersions", [&](const FieldPath& item, std::string_view version) {
    if (version.empty()) report.required(item);
  });
  checkResources(at, rule, report);
  if (given(rule, "scope") != nullptr)
    checkEnum(at.field("scope"), text(rule, "scope"), {"*", "Cluster", "Namespaced"}, report, Empty::unsupported);
}

void checkMatchResources(const FieldPath& at, const json::object& resources, RuleReport& report) {
  checkEnum(at.field("matchPolicy"), text(resources, "matchPolicy"), {"Equivalent", "Exact"}, report,
            Empty::unsupported);
  checkLabelSelector(at.field("namespaceSelector"), given(resources, "namespaceSelector"), report);
  checkLabelSelector(at.field("objectSelector"), given(resources, "objectSelector"), report);
  checkNamedRules(at, resources, "resourceRules", report);
  checkNamedRules(at, resources, "excludeResourceRules", report);
}

}  // namespace steer
