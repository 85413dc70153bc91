// Admission policies and what binds them.
#include <set>

#include "schemas/cel/syntax.h"
#include "schemas/rules/admission_rules.h"
#include "schemas/rules/reading.h"

namespace steer {
namespace {

using Kind = CelType::Kind;

bool isBlank(std::string_view said) { return said.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

void checkParamKind(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto apiVersion = text(said, "apiVersion");
  const auto here = at.field("apiVersion");
  if (apiVersion.empty()) {
    report.required(here);
  } else {
    const auto slash = apiVersion.find('/');
    const bool core = slash == std::string_view::npos;
    const auto version = core ? apiVersion : apiVersion.substr(slash + 1);
    if (std::count(apiVersion.begin(), apiVersion.end(), '/') > 1)
      report.invalid(here, quoted(apiVersion), "unexpected GroupVersion string");
    else if (const auto group = checkDns1123Subdomain(apiVersion.substr(0, slash)); !core && slash > 0 && group)
      report.invalid(here, quoted(apiVersion), *group);
    report.check(here, apiVersion, checkDns1035Label(version));
  }
  if (!checkPresent(at, said, "kind", report)) return;
  std::string lowered(text(said, "kind"));
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  report.check(at.field("kind"), text(said, "kind"), checkDns1035Label(lowered));
}

/// Later expressions see variables by name, with the type of what was said.
void checkVariables(const FieldPath& at, const json::object& spec, CelVariables& seen, RuleReport& report) {
  eachObject(at, spec, "variables", [&](const FieldPath& here, const json::object& variable) {
    const auto name = text(variable, "name");
    if (isBlank(name)) report.required(here.field("name"), "name is not specified");
    else if (!isCelIdentifier(name))
      report.invalid(here.field("name"), quoted(name), "name is not a valid CEL identifier");
    checkExpression(here, variable, "expression", seen, {}, report);
    const auto judged = checkCel(text(variable, "expression"), seen);
    seen.insert_or_assign("variables." + std::string(name), judged.problem ? CelType() : judged.type);
  });
}

void checkValidation(const FieldPath& at, const json::object& said, const CelVariables& seen,
                     const CelVariables& seenByMessages, RuleReport& report) {
  checkExpression(at, said, "expression", seen, {Kind::boolean}, report);
  if (const auto expression = text(said, "messageExpression"); !expression.empty() && isBlank(expression))
    report.invalid(at.field("messageExpression"), quoted(expression), "must be non-empty if specified");
  else if (!expression.empty()) checkExpression(at, said, "messageExpression", seenByMessages, {Kind::text}, report);
  const auto message = text(said, "message");
  const auto first = message.find_first_not_of(" \t\r\n\v\f");
  if (!message.empty() && first == std::string_view::npos)
    report.invalid(at.field("message"), quoted(message), "message must be non-empty if specified");
  else if (!message.empty()) {
    const auto last = message.find_last_not_of(" \t\r\n\v\f");
    if (message.substr(first, last - first + 1).find_first_of("\r\n") != std::string_view::npos)
      report.invalid(at.field("message"), quoted(message), "message must not contain line breaks");
  }
  if (given(said, "reason") != nullptr)
    checkEnum(at.field("reason"), text(said, "reason"), {"Forbidden", "Invalid", "RequestEntityTooLarge"}, report,
              Empty::unsupported);
}

void checkAuditAnnotations(const FieldPath& at, const json::object& object, const json::object& spec,
                           const CelVariables& seen, RuleReport& report) {
  constexpr std::size_t kMost = 20;
  constexpr std::size_t kLongest = 5 * 1024;
  if (items(spec, "auditAnnotations").size() > kMost)
    report.invalid(at.field("auditAnnotations"), nullptr, "must not have more than 20 auditAnnotations");
  const auto name = stringAt(object, {"metadata", "name"});
  std::set<std::string, std::less<>> keys;
  eachObject(at, spec, "auditAnnotations", [&](const FieldPath& here, const json::object& annotation) {
    const auto key = text(annotation, "key");
    if (name.empty()) report.invalid(here.field("key"), quoted(key), "requires metadata.name be non-empty");
    else report.check(here.field("key"), key, checkQualifiedName(std::string(name) + "/" + std::string(key)));
    if (text(annotation, "valueExpression").size() > kLongest)
      report.required(here.field("valueExpression"), "must not exceed 5kB");
    else checkExpression(here, annotation, "valueExpression", seen, {Kind::text, Kind::null}, report);
    if (!keys.emplace(key).second) report.duplicate(here.field("key"), quoted(key));
  });
}

void checkParamRef(const FieldPath& at, const json::object& ref, RuleReport& report) {
  const auto name = text(ref, "name");
  const auto* selector = given(ref, "selector");
  if (!name.empty()) report.check(at.field("name"), name, checkPathSegment);
  if (!name.empty() && selector != nullptr) {
    report.forbidden(at.field("name"), "name and selector are mutually exclusive");
    report.forbidden(at.field("selector"), "name and selector are mutually exclusive");
  }
  if (selector != nullptr) checkLabelSelector(at.field("selector"), selector, report);
  if (name.empty() && selector == nullptr) report.required(at, "one of name or selector must be specified");
  checkEnum(at.field("parameterNotFoundAction"), text(ref, "parameterNotFoundAction"), {"Allow", "Deny"}, report,
            Empty::required);
}

}  // namespace

void checkAdmissionPolicy(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  checkEnum(at.field("failurePolicy"), text(spec, "failurePolicy"), {"Fail", "Ignore"}, report, Empty::unsupported);
  const auto* kind = part(spec, "paramKind");
  if (kind != nullptr) checkParamKind(at.field("paramKind"), *kind, report);
  const auto parameters = kind == nullptr ? Parameters::none : Parameters::some;
  const auto matching = at.field("matchConstraints");
  if (const auto* constraints = part(spec, "matchConstraints")) {
    checkMatchResources(matching, *constraints, report);
    if (items(*constraints, "resourceRules").empty()) report.required(matching.field("resourceRules"));
  } else {
    report.required(matching);
  }
  auto seen = admissionVariables(parameters);
  checkMatchConditions(at, spec, seen, report);
  seen.emplace("variables", CelType::objectOf("kubernetes.variables", {}));
  checkVariables(at, spec, seen, report);
  // A message tells nobody what somebody may.
  auto seenByMessages = seen;
  for (const auto* name : {"authorizer", "authorizer.requestResource"}) seenByMessages.erase(name);
  if (items(spec, "validations").empty() && items(spec, "auditAnnotations").empty())
    for (const auto* field : {"validations", "auditAnnotations"})
      report.required(at.field(field), "validations or auditAnnotations must be non-empty");
  eachObject(at, spec, "validations", [&](const FieldPath& here, const json::object& said) {
    checkValidation(here, said, seen, seenByMessages, report);
  });
  checkAuditAnnotations(at, object, spec, seen, report);
}

void checkAdmissionPolicyBinding(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  if (checkPresent(at, spec, "policyName", report))
    report.check(at.field("policyName"), text(spec, "policyName"), checkDns1123Subdomain);
  if (const auto* ref = part(spec, "paramRef")) checkParamRef(at.field("paramRef"), *ref, report);
  if (const auto* resources = part(spec, "matchResources"))
    checkMatchResources(at.field("matchResources"), *resources, report);
  const auto list = at.field("validationActions");
  if (items(spec, "validationActions").empty()) report.required(list);
  std::set<std::string, std::less<>> actions;
  eachText(at, spec, "validationActions", [&](const FieldPath& item, std::string_view action) {
    checkEnum(item, action, {"Audit", "Deny", "Warn"}, report, Empty::unsupported);
    if (!actions.emplace(action).second) report.duplicate(item, quoted(action));
  });
  if (actions.contains("Deny") && actions.contains("Warn"))
    report.invalid(list, nullptr, "must not contain both Deny and Warn");
}

}  // namespace steer
