#pragma once
// How one plan looks: for a terminal, and as a value for JSON and YAML. Pure; secrets stay masked.
#include <string>

#include "reconciler/plan/report.h"

namespace steer {

using PlanTextOptions = ReportTextOptions;

/// Grouped by namespace, in the order of application, with one line of counts at the end.
std::string planText(const Plan& plan, const PlanTextOptions& options = {});
/// "Plan: 3 to create, 1 to update, 0 to replace, 0 to delete."
std::string planSummary(const Plan& plan);
json::object planJson(const Plan& plan);

}  // namespace steer
