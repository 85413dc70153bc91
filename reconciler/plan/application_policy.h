#pragma once
// What an Application's spec says about fields of others, as a policy. Pure.
#include "core/diagnostics.h"
#include "reconciler/plan/ownership_policy.h"
#include "reconciler/plan/plan.h"

namespace steer {

/// Reads spec.force, spec.ignoreFields and spec.respectManagers. Fields that others hold are taken unless
/// spec.force is false.
OwnershipPolicy policyOf(const json::object& spec);

/// Reads spec.deleteBudget; a number out of range keeps its default, and is a finding where the spec is read.
DeleteBudget deleteBudgetOf(const json::object& spec);
/// The user as whom an application of namespace `ns` acts: its service account's; empty when it names none.
std::string accountOf(const json::object& spec, const std::string& ns);

/// Paths of spec.ignoreFields that cannot be read: (field path in the spec, what is wrong).
std::vector<std::pair<std::string, std::string>> policyProblems(const json::object& spec);

}  // namespace steer
