#include "reconciler/plan/plan_set.h"

#include "reconciler/plan/fingerprint.h"
#include "reconciler/plan/plan_text.h"

namespace steer {

PlanCounts PlanSet::counts() const {
  PlanCounts all;
  for (const auto& plan : plans) {
    const auto n = plan.counts();
    all.create += n.create;
    all.update += n.update;
    all.replace += n.replace;
    all.remove += n.remove;
    all.none += n.none;
    all.refused += n.refused;
  }
  return all;
}

bool PlanSet::empty() const {
  for (const auto& plan : plans)
    if (!plan.empty()) return false;
  return true;
}

std::size_t PlanSet::hooksDue() const {
  std::size_t n = 0;
  for (const auto& plan : plans)
    if (plan.hooksDue()) n += plan.hooks.size();
  return n;
}

std::string PlanSet::digest() const {
  if (plans.size() == 1) return plans.front().digest();
  Fingerprint print;
  for (const auto& plan : plans) print.add(plan.application).add(plan.digest());
  return print.hex();
}

std::string countsText(const PlanCounts& n) {
  std::string out = "Plan: " + std::to_string(n.create) + " to create, " + std::to_string(n.update) + " to update, " +
                    std::to_string(n.replace) + " to replace, " + std::to_string(n.remove) + " to delete.";
  if (n.refused != 0) out += " " + std::to_string(n.refused) + " refused by the server.";
  return out;
}

json::object countsJson(const PlanCounts& n) {
  return {{"create", n.create}, {"update", n.update}, {"replace", n.replace},
          {"delete", n.remove}, {"none", n.none},     {"refused", n.refused}};
}

json::object planSetJson(const PlanSet& set) {
  if (set.plans.empty()) return {};
  json::object out = planJson(set.plans.front());
  if (!set.findings.empty()) out["findings"] = json::value_from(set.findings);
  if (!set.notes.empty()) out["notes"] = json::value_from(set.notes);
  if (set.plans.size() == 1) return out;
  json::array all;
  for (const auto& plan : set.plans) all.emplace_back(planJson(plan));
  out.erase("changes");
  out.erase("application");
  out["digest"] = set.digest();
  out["counts"] = countsJson(set.counts());
  out["applications"] = std::move(all);
  return out;
}

}  // namespace steer
