#include "reconciler/plan/plan_text.h"

namespace steer {

std::string planSummary(const Plan& plan) { return countsText(plan.counts()); }

std::string planText(const Plan& plan, const PlanTextOptions& options) {
  return reportText(planReport({{plan}}), options);
}

json::object planJson(const Plan& plan) {
  json::array changes;
  for (const auto& c : plan.changes) {
    if (c.action == PlanAction::none && c.refusal.empty()) continue;
    json::object row{{"action", actionName(c.action)},
                     {"apiVersion", c.gvk.apiVersion()},
                     {"kind", c.gvk.kind},
                     {"name", c.ref.name},
                     {"wave", waveName(c.wave)}};
    if (!c.ref.ns.empty()) row["namespace"] = c.ref.ns;
    if (!c.source.file.empty()) {
      row["file"] = c.source.file;
      row["line"] = c.source.line;
    }
    if (!c.fields.empty()) row["changes"] = changesJson(c.fields);
    if (!c.forcedBy.empty()) row["replacedBecause"] = c.forcedBy;
    if (c.adopts) row["adopts"] = true;
    if (!c.movedFrom.empty()) row["movedFrom"] = c.movedFrom;
    if (!c.left.empty()) row["leaves"] = json::value_from(c.left);
    if (!c.taken.empty()) row["takes"] = json::value_from(c.taken);
    if (!c.refusal.empty()) row["refused"] = c.refusal;
    changes.emplace_back(std::move(row));
  }
  return {{"application", plan.application},
          {"source", plan.source},
          {"digest", plan.digest()},
          {"counts", countsJson(plan.counts())},
          {"changes", std::move(changes)}};
}

}  // namespace steer
