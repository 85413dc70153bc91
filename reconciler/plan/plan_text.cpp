#include "reconciler/plan/plan_text.h"

#include "reconciler/plan/delete_budget.h"

namespace steer {

std::string planSummary(const Plan& plan) { return countsText(plan.counts()); }

std::string planText(const Plan& plan, const PlanTextOptions& options) {
  return reportText(planReport({{plan}}), options);
}

namespace {

json::array hooksJson(const Plan& plan) {
  json::array out;
  for (const auto& hook : plan.hooks) {
    json::object row{{"when", hookName(hook.when)},
                     {"kind", hook.gvk().kind},
                     {"namespace", hook.ref.ns},
                     {"name", hook.ref.name},
                     {"runs", plan.hooksDue() && !runsAtDeletion(hook.when)}};
    if (!hook.source.file.empty()) {
      row["file"] = hook.source.file;
      row["line"] = hook.source.line;
    }
    out.emplace_back(std::move(row));
  }
  return out;
}

}  // namespace

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
    if (c.syncWave != 0) row["syncWave"] = c.syncWave;
    if (!c.source.file.empty()) {
      row["file"] = c.source.file;
      row["line"] = c.source.line;
    }
    if (!c.fields.empty()) row["changes"] = changesJson(c.fields);
    if (!c.forcedBy.empty()) row["replacedBecause"] = c.forcedBy;
    if (!c.vanishing.empty()) row["isBeingDeleted"] = c.vanishing;
    if (c.adopts) row["adopts"] = true;
    if (c.hidden) row["hidden"] = true;
    if (!c.movedFrom.empty()) row["movedFrom"] = c.movedFrom;
    if (!c.left.empty()) row["leaves"] = json::value_from(c.left);
    if (!c.after.empty()) row["after"] = json::value_from(c.after);
    if (!c.makesWayFor.name.empty()) row["makesWayFor"] = c.makesWayFor.text();
    if (!c.taken.empty()) row["takes"] = json::value_from(c.taken);
    if (!c.refusal.empty()) row["refused"] = c.refusal;
    changes.emplace_back(std::move(row));
  }
  json::object out{{"application", plan.application},     {"source", plan.source},         {"digest", plan.digest()},
                   {"counts", countsJson(plan.counts())}, {"changes", std::move(changes)}, {"hooks", hooksJson(plan)}};
  if (const auto verdict = checkDeletions(plan, plan.deleteBudget); !verdict.deletions.empty()) {
    json::object deletions{{"total", verdict.deletions.size()},
                           {"needsConfirmation", verdict.needsConfirmation},
                           {"reason", verdict.reason},
                           {"digest", verdict.deletionsDigest}};
    if (verdict.needsConfirmation) {
      deletions["trailer"] = confirmationTrailer(verdict);
      const auto says = trailerSays(plan.confirmedDeletions, plan, verdict);
      if (says != TrailerSays::nothing) deletions["trailerMatches"] = says == TrailerSays::yes;
      if (says == TrailerSays::yes) deletions["confirmedBy"] = "the commit's trailer";
    }
    out["deletions"] = std::move(deletions);
  }
  if (!plan.kept.empty()) out["kept"] = json::value_from(plan.kept);
  if (!plan.waitsFor.empty()) out["waitsFor"] = json::value_from(plan.waitsFor);
  return out;
}

}  // namespace steer
