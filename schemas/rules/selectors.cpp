// Selectors of labels and of nodes, wherever they stand.
#include "schemas/rules.h"

namespace steer {
namespace {

/// One of matchExpressions; what the values may be follows from the operator.
void checkRequirement(const FieldPath& at, const json::value& said, bool numbers, RuleReport& report) {
  const auto key = stringAt(said, {"key"});
  const auto op = stringAt(said, {"operator"});
  const auto values = at.field("values");
  const auto& list = arrayAt(said, {"values"});
  if (!key.empty()) report.check(at.field("key"), key, checkQualifiedName);
  if (op == "In" || op == "NotIn") {
    if (list.empty()) report.required(values, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!list.empty()) report.forbidden(values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (numbers && (op == "Gt" || op == "Lt")) {
    if (list.size() != 1) report.required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else if (!op.empty()) {
    std::vector<std::string> known{"In", "NotIn", "Exists", "DoesNotExist"};
    if (numbers) known.insert(known.end(), {"Gt", "Lt"});
    report.unsupported(at.field("operator"), json::value(jkey(op)), known);
  }
  if (numbers) return;  // node fields have values of other forms
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i].is_string()) report.check(values.item(i), view(list[i].get_string()), checkLabelValue);
}

void checkRequirements(const FieldPath& at, const json::array& list, bool numbers, RuleReport& report) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = at.item(i);
    if (list[i].is_object()) checkRequirement(here, list[i], numbers, report);
  }
}

void checkNodeTerm(const FieldPath& at, const json::value& term, RuleReport& report) {
  const auto expressions = at.field("matchExpressions");
  const auto fields = at.field("matchFields");
  checkRequirements(expressions, arrayAt(term, {"matchExpressions"}), true, report);
  const auto& list = arrayAt(term, {"matchFields"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = fields.item(i);
    if (const auto key = stringAt(list[i], {"key"}); key != "metadata.name")
      report.invalid(here.field("key"), json::value(jkey(key)), "not a valid field selector key",
                     "only metadata.name can be selected");
  }
}

void checkWeight(const FieldPath& at, const json::value& term, RuleReport& report) {
  const auto* weight = find(term, {"weight"});
  const auto n = weight == nullptr ? std::nullopt : asInt(*weight);
  if (n && (*n < 1 || *n > 100)) report.invalid(at.field("weight"), *weight, "must be in the range 1-100");
}

void checkPodTerm(const FieldPath& at, const json::value& term, RuleReport& report) {
  if (!term.is_object()) return;
  checkLabelSelector(at.field("labelSelector"), find(term, {"labelSelector"}), report);
  checkLabelSelector(at.field("namespaceSelector"), find(term, {"namespaceSelector"}), report);
  const auto key = stringAt(term, {"topologyKey"});
  const auto here = at.field("topologyKey");
  if (!key.empty()) report.check(here, key, checkQualifiedName);
  else if (term.get_object().contains("topologyKey"))
    report.required(here, "can not be empty, such as \"kubernetes.io/hostname\"");
}

void checkPodAffinity(const FieldPath& at, const json::value& said, RuleReport& report) {
  const auto required = at.field("requiredDuringSchedulingIgnoredDuringExecution");
  const auto preferred = at.field("preferredDuringSchedulingIgnoredDuringExecution");
  const auto& must = arrayAt(said, {"requiredDuringSchedulingIgnoredDuringExecution"});
  for (std::size_t i = 0; i < must.size(); ++i) {
    const auto here = required.item(i);
    checkPodTerm(here, must[i], report);
  }
  const auto& may = arrayAt(said, {"preferredDuringSchedulingIgnoredDuringExecution"});
  for (std::size_t i = 0; i < may.size(); ++i) {
    const auto here = preferred.item(i);
    checkWeight(here, may[i], report);
    const auto* term = find(may[i], {"podAffinityTerm"});
    const auto inside = here.field("podAffinityTerm");
    if (term != nullptr) checkPodTerm(inside, *term, report);
  }
}

}  // namespace

void checkLabelSelector(const FieldPath& at, const json::value* selector, RuleReport& report) {
  if (selector == nullptr || !selector->is_object()) return;
  const auto labels = at.field("matchLabels");
  const auto expressions = at.field("matchExpressions");
  checkLabels(labels, objectAt(*selector, {"matchLabels"}), report);
  checkRequirements(expressions, arrayAt(*selector, {"matchExpressions"}), false, report);
}

void checkNodeSelector(const FieldPath& at, const json::value* selector, RuleReport& report) {
  if (selector == nullptr || !selector->is_object()) return;
  const auto terms = at.field("nodeSelectorTerms");
  const auto* list = find(*selector, {"nodeSelectorTerms"});
  if (list != nullptr && list->is_array() && list->get_array().empty())
    report.required(terms, "must have at least one node selector term");
  std::size_t i = 0;
  for (const auto& term : arrayAt(*selector, {"nodeSelectorTerms"})) {
    const auto here = terms.item(i++);
    checkNodeTerm(here, term, report);
  }
}

void checkAffinity(const FieldPath& at, const json::value* affinity, RuleReport& report) {
  if (affinity == nullptr || !affinity->is_object()) return;
  const auto node = at.field("nodeAffinity");
  const auto pod = at.field("podAffinity");
  const auto anti = at.field("podAntiAffinity");
  const auto required = node.field("requiredDuringSchedulingIgnoredDuringExecution");
  const auto preferred = node.field("preferredDuringSchedulingIgnoredDuringExecution");
  checkNodeSelector(required, find(*affinity, {"nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"}),
                    report);
  const auto& list = arrayAt(*affinity, {"nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = preferred.item(i);
    checkWeight(here, list[i], report);
    const auto* term = find(list[i], {"preference"});
    const auto inside = here.field("preference");
    if (term != nullptr) checkNodeTerm(inside, *term, report);
  }
  if (const auto* said = find(*affinity, {"podAffinity"})) checkPodAffinity(pod, *said, report);
  if (const auto* said = find(*affinity, {"podAntiAffinity"})) checkPodAffinity(anti, *said, report);
}

}  // namespace steer
