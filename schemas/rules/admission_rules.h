#pragma once
// What webhooks and admission policies share: which requests they match, and the expressions in them. Pure.
#include <string_view>
#include <vector>

#include "schemas/cel/checker.h"
#include "schemas/rules.h"

namespace steer {

/// Operations, groups, versions, resources and scope of one rule.
void checkAdmissionRule(const FieldPath& at, const json::object& rule, RuleReport& report);
/// A policy's, or its binding's.
void checkMatchResources(const FieldPath& at, const json::object& resources, RuleReport& report);

/// Whether the policy has parameters.
enum class Parameters : bool { none, some };
/// What an expression of an admission policy or a webhook sees.
CelVariables admissionVariables(Parameters parameters);

/// Named conditions, at most 64.
void checkMatchConditions(const FieldPath& at, const json::object& holder, const CelVariables& variables,
                          RuleReport& report);
/// Required unless there is more than white space; compiles, with a result of one of these types.
void checkExpression(const FieldPath& at, const json::object& holder, std::string_view field,
                     const CelVariables& variables, const std::vector<CelType::Kind>& results, RuleReport& report);

}  // namespace steer
