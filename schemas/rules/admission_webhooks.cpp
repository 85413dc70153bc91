// Webhooks that validate or change what is written.
#include <set>

#include "schemas/rules/admission_rules.h"
#include "schemas/rules/reading.h"
#include "schemas/rules/webhook_client.h"

namespace steer {
namespace {

void checkWebhookName(const FieldPath& at, std::string_view name, RuleReport& report) {
  if (name.empty()) return report.required(at);
  if (const auto problem = checkDns1123Subdomain(name)) return report.invalid(at, quoted(name), *problem);
  if (std::count(name.begin(), name.end(), '.') < 2)
    report.invalid(at, quoted(name), "should be a domain with at least three segments separated by dots");
}

void checkReviewVersions(const FieldPath& at, const json::object& webhook, RuleReport& report) {
  const auto list = at.field("admissionReviewVersions");
  if (items(webhook, "admissionReviewVersions").empty())
    return report.required(list, "must specify one of v1, v1beta1");
  std::set<std::string, std::less<>> seen;
  bool known = false;
  eachText(at, webhook, "admissionReviewVersions", [&](const FieldPath& item, std::string_view version) {
    if (!seen.emplace(version).second) return report.duplicate(item, quoted(version));
    report.check(item, version, checkDns1035Label);
    known = known || version == "v1" || version == "v1beta1";
  });
  if (!known) report.invalid(list, nullptr, "must include at least one of v1, v1beta1");
}

/// A member that defaulting gives; an empty text is none of the words.
void checkChoice(const FieldPath& at, const json::object& webhook, std::string_view field,
                 const std::vector<std::string>& known, RuleReport& report) {
  if (given(webhook, field) != nullptr)
    checkEnum(at.field(field), text(webhook, field), known, report, Empty::unsupported);
}

void checkWebhook(const FieldPath& at, const json::object& webhook, RuleReport& report) {
  checkWebhookName(at.field("name"), text(webhook, "name"), report);
  eachObject(at, webhook, "rules",
             [&](const FieldPath& here, const json::object& rule) { checkAdmissionRule(here, rule, report); });
  checkChoice(at, webhook, "failurePolicy", {"Fail", "Ignore"}, report);
  checkChoice(at, webhook, "matchPolicy", {"Equivalent", "Exact"}, report);
  if (given(webhook, "sideEffects") == nullptr)
    report.required(at.field("sideEffects"), "must specify one of None, NoneOnDryRun");
  checkChoice(at, webhook, "sideEffects", {"None", "NoneOnDryRun"}, report);
  checkChoice(at, webhook, "reinvocationPolicy", {"IfNeeded", "Never"}, report);
  if (given(webhook, "timeoutSeconds") != nullptr)
    if (const auto seconds = number(webhook, "timeoutSeconds"); seconds < 1 || seconds > 30)
      report.invalid(at.field("timeoutSeconds"), seconds, "the timeout value must be between 1 and 30 seconds");
  checkLabelSelector(at.field("namespaceSelector"), given(webhook, "namespaceSelector"), report);
  checkLabelSelector(at.field("objectSelector"), given(webhook, "objectSelector"), report);
  checkWebhookClient(at.field("clientConfig"), members(webhook, "clientConfig"), report);
  checkMatchConditions(at, webhook, admissionVariables(Parameters::none), report);
  checkReviewVersions(at, webhook, report);
}

void checkWebhooks(const json::object& object, RuleReport& report) {
  const FieldPath root;
  std::set<std::string, std::less<>> names;
  eachObject(root, object, "webhooks", [&](const FieldPath& at, const json::object& webhook) {
    checkWebhook(at, webhook, report);
    const auto name = text(webhook, "name");
    if (!name.empty() && !names.emplace(name).second) report.duplicate(at.field("name"), quoted(name));
  });
}

}  // namespace

void checkValidatingWebhooks(const json::object& object, RuleReport& report) { checkWebhooks(object, report); }
void checkMutatingWebhooks(const json::object& object, RuleReport& report) { checkWebhooks(object, report); }

}  // namespace steer
