#pragma once
// PlanSet: the plans of several applications that were made together, in the order in which they are
// carried out: an application after those it depends on. Thread rule: a plain value.
#include <string>
#include <vector>

#include "reconciler/plan/plan.h"

namespace steer {

struct PlanSet {
  std::vector<Plan> plans;
  std::vector<std::string> findings{};  ///< in manifests; what they speak of is not planned
  std::vector<std::string> notes{};     ///< applications that were left out, and why

  PlanCounts counts() const;
  bool empty() const;
  /// How many hooks will run; they do not make a plan non-empty.
  std::size_t hooksDue() const;
  /// The digest of the plan, when there is one.
  std::string digest() const;
};

/// "Plan: 3 to create, 1 to update, 0 to replace, 0 to delete."
std::string countsText(const PlanCounts& counts);
json::object countsJson(const PlanCounts& counts);
/// One plan as planJson; several as "applications", each as planJson, with the counts of all.
json::object planSetJson(const PlanSet& set);

}  // namespace steer
