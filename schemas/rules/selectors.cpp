// Selectors of labels and of nodes, wherever they stand.
#include "schemas/rules/reading.h"

namespace steer {
namespace {

const char* const kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
const char* const kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

void checkRequirement(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto op = text(said, "operator");
  const auto& values = items(said, "values");
  const auto here = at.field("values");
  if (op == "In" || op == "NotIn") {
    if (values.empty()) report.required(here, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) report.forbidden(here, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else {
    report.invalid(at.field("operator"), quoted(op), "not a valid selector operator");
  }
  report.check(at.field("key"), text(said, "key"), checkQualifiedName);
  eachText(at, said, "values",
           [&](const FieldPath& item, std::string_view value) { report.check(item, value, checkLabelValue); });
}

void checkNodeRequirement(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto op = text(said, "operator");
  const auto& values = items(said, "values");
  const auto here = at.field("values");
  if (op == "In" || op == "NotIn") {
    if (values.empty()) report.required(here, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) report.forbidden(here, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (op == "Gt" || op == "Lt") {
    if (values.size() != 1) report.required(here, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    report.invalid(at.field("operator"), quoted(op), "not a valid selector operator");
  }
  report.check(at.field("key"), text(said, "key"), checkQualifiedName);
}

void checkNodeField(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto op = text(said, "operator");
  if (op == "In" || op == "NotIn") {
    if (items(said, "values").size() != 1)
      report.required(at.field("values"),
                      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  } else {
    report.invalid(at.field("operator"), quoted(op), "not a valid selector operator");
  }
  if (const auto key = text(said, "key"); key != "metadata.name")
    return report.invalid(at.field("key"), quoted(key), "not a valid field selector key",
                          "only metadata.name can be selected");
  eachText(at, said, "values",
           [&](const FieldPath& item, std::string_view value) { report.check(item, value, checkDns1123Subdomain); });
}

enum class Values { free, labels };

void checkNodeTerm(const FieldPath& at, const json::object& term, Values values, RuleReport& report) {
  eachObject(at, term, "matchExpressions", [&](const FieldPath& here, const json::object& said) {
    checkNodeRequirement(here, said, report);
    if (values == Values::free) return;
    eachText(here, said, "values",
             [&](const FieldPath& item, std::string_view value) { report.check(item, value, checkLabelValue); });
  });
  eachObject(at, term, "matchFields",
             [&](const FieldPath& here, const json::object& said) { checkNodeField(here, said, report); });
}

void checkWeight(const FieldPath& at, const json::object& term, RuleReport& report) {
  const auto weight = number(term, "weight");
  if (weight < 1 || weight > 100) report.invalid(at.field("weight"), weight, "must be in the range 1-100");
}

bool isTexts(const json::array& list, const json::value& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

void checkPodTerm(const FieldPath& at, const json::object& term, RuleReport& report) {
  checkLabelSelector(at.field("labelSelector"), given(term, "labelSelector"), report);
  checkLabelSelector(at.field("namespaceSelector"), given(term, "namespaceSelector"), report);
  eachText(at, term, "namespaces", [&](const FieldPath&, std::string_view name) {
    report.check(at.field("namespace"), name, checkDns1123Label);
  });
  const auto match = at.field("matchLabelKeys");
  for (const auto* name : {"matchLabelKeys", "mismatchLabelKeys"}) {
    if (items(term, name).empty()) continue;
    if (given(term, "labelSelector") == nullptr)
      report.forbidden(at.field(name), "must not be specified when labelSelector is not set");
    else
      eachText(at, term, name,
               [&](const FieldPath& item, std::string_view key) { report.check(item, key, checkQualifiedName); });
  }
  std::size_t i = 0;
  for (const auto& key : items(term, "matchLabelKeys")) {
    if (isTexts(items(term, "mismatchLabelKeys"), key))
      report.invalid(match.item(i), key, "exists in both matchLabelKeys and mismatchLabelKeys");
    ++i;
  }
  const auto key = text(term, "topologyKey");
  const auto here = at.field("topologyKey");
  if (key.empty()) report.required(here, "can not be empty, such as \"kubernetes.io/hostname\"");
  report.check(here, key, checkQualifiedName);
}

void checkPodAffinity(const FieldPath& at, const json::object* said, RuleReport& report) {
  if (said == nullptr) return;
  eachObject(at, *said, kRequired,
             [&](const FieldPath& here, const json::object& term) { checkPodTerm(here, term, report); });
  eachObject(at, *said, kPreferred, [&](const FieldPath& here, const json::object& term) {
    checkWeight(here, term, report);
    const auto inside = here.field("podAffinityTerm");
    checkPodTerm(inside, members(term, "podAffinityTerm"), report);
  });
}

void checkNodeTerms(const FieldPath& at, const json::object& selector, Values values, RuleReport& report) {
  if (items(selector, "nodeSelectorTerms").empty())
    report.required(at.field("nodeSelectorTerms"), "must have at least one node selector term");
  eachObject(at, selector, "nodeSelectorTerms",
             [&](const FieldPath& here, const json::object& term) { checkNodeTerm(here, term, values, report); });
}

}  // namespace

void checkLabelSelector(const FieldPath& at, const json::value* selector, RuleReport& report) {
  if (selector == nullptr || !selector->is_object()) return;
  const auto& said = selector->get_object();
  checkLabels(at.field("matchLabels"), members(said, "matchLabels"), report);
  eachObject(at, said, "matchExpressions",
             [&](const FieldPath& here, const json::object& one) { checkRequirement(here, one, report); });
}

void checkNodeSelector(const FieldPath& at, const json::value* selector, RuleReport& report) {
  if (selector == nullptr || !selector->is_object()) return;
  checkNodeTerms(at, selector->get_object(), Values::labels, report);
}

void checkAffinity(const FieldPath& at, const json::value* affinity, RuleReport& report) {
  if (affinity == nullptr || !affinity->is_object()) return;
  const auto& said = affinity->get_object();
  if (const auto* node = part(said, "nodeAffinity")) {
    const auto here = at.field("nodeAffinity");
    if (const auto* required = part(*node, kRequired)) {
      const auto inside = here.field(kRequired);
      checkNodeTerms(inside, *required, Values::labels, report);
    }
    eachObject(here, *node, kPreferred, [&](const FieldPath& item, const json::object& term) {
      checkWeight(item, term, report);
      const auto inside = item.field("preference");
      checkNodeTerm(inside, members(term, "preference"), Values::free, report);
    });
  }
  const auto pod = at.field("podAffinity");
  const auto anti = at.field("podAntiAffinity");
  checkPodAffinity(pod, part(said, "podAffinity"), report);
  checkPodAffinity(anti, part(said, "podAntiAffinity"), report);
}

}  // namespace steer
