#include <catch2/catch.hpp>

#include "reconciler/plan/delete_budget.h"

using namespace steer;

namespace {

PlannedChange change(PlanAction action, const std::string& kind, const std::string& name,
                     const std::string& apiVersion = "v1") {
  PlannedChange c;
  c.action = action;
  c.gvk = Gvk::from(apiVersion, kind);
  c.ref = {kind, kind == "Namespace" ? "" : "shop", name};
  if (action != PlanAction::create)
    c.live = Object::make({{"apiVersion", apiVersion},
                           {"kind", kind},
                           {"metadata", {{"name", name}, {"uid", "uid-" + name}}},
                           {"spec", json::object{}}});
  return c;
}

/// `removed` config maps of `total` go.
Plan planOf(int removed, int total) {
  Plan plan;
  for (int i = 0; i < total; ++i)
    plan.changes.push_back(
        change(i < removed ? PlanAction::remove : PlanAction::none, "ConfigMap", "m" + std::to_string(i)));
  return plan;
}

}  // namespace

TEST_CASE("a few deletions, or a small share of many, are within the budget") {
  CHECK_FALSE(checkDeletions(planOf(0, 10), {}).needsConfirmation);
  CHECK_FALSE(checkDeletions(planOf(5, 5), {}).needsConfirmation);
  CHECK_FALSE(checkDeletions(planOf(20, 100), {}).needsConfirmation);
}

TEST_CASE("more than the share and more than the count need a confirmation") {
  const auto verdict = checkDeletions(planOf(6, 12), {});
  CHECK(verdict.needsConfirmation);
  CHECK(verdict.reason == "6 of 12 objects (50 %) would be deleted, more than the budget of 20 % and 5 objects");
  CHECK(verdict.deletions.size() == 6);
  CHECK(verdict.deletions[0] == "ConfigMap shop/m0");
  CHECK(checkDeletions(planOf(21, 100), {}).needsConfirmation);
  CHECK(checkDeletions(planOf(1, 100), {0, 0}).needsConfirmation);
  CHECK_FALSE(checkDeletions(planOf(6, 12), {50, 5}).needsConfirmation);
}

TEST_CASE("new objects do not make the share of what is deleted smaller") {
  auto plan = planOf(6, 12);
  for (int i = 0; i < 100; ++i)
    plan.changes.push_back(change(PlanAction::create, "ConfigMap", "new" + std::to_string(i)));
  CHECK(checkDeletions(plan, {}).needsConfirmation);
}

TEST_CASE("what holds data always needs a confirmation, however large the budget") {
  for (const char* kind : {"Namespace", "PersistentVolumeClaim", "PersistentVolume"}) {
    auto plan = planOf(0, 100);
    plan.changes.push_back(change(PlanAction::remove, kind, "precious"));
    CHECK(checkDeletions(plan, {100, 1000}).needsConfirmation);
  }
  auto plan = planOf(0, 100);
  plan.changes.push_back(change(PlanAction::remove, "Application", "web", "steersman.dev/v1"));
  CHECK(checkDeletions(plan, {}).needsConfirmation);
  plan.changes.back().live = Object::make({{"metadata", {{"name", "web"}}}, {"spec", {{"prune", false}}}});
  CHECK_FALSE(checkDeletions(plan, {}).needsConfirmation);
}

TEST_CASE("the digest of the deletions does not depend on what else is planned") {
  auto plan = planOf(6, 12);
  const auto before = checkDeletions(plan, {}).deletionsDigest;
  plan.changes.push_back(change(PlanAction::update, "ConfigMap", "other"));
  std::reverse(plan.changes.begin(), plan.changes.end());
  CHECK(checkDeletions(plan, {}).deletionsDigest == before);
  CHECK(checkDeletions(planOf(7, 12), {}).deletionsDigest != before);
}

TEST_CASE("the trailer of a commit names the plan; anywhere else it does not count") {
  const std::string digest(64, 'a');
  CHECK(confirmedDigests("Clean up\n\nAll of it.\n\nSigned-off-by: Ada\nSteersman-Confirm-Delete: " + digest + "\n") ==
        std::vector<std::string>{digest});
  CHECK(confirmedDigests("Steersman-Confirm-Delete: " + digest).empty());
  CHECK(confirmedDigests("Clean up\n\nSteersman-Confirm-Delete: " + digest + "\n\nMore text.\n").empty());
  DeleteVerdict verdict;
  verdict.deletionsDigest = std::string(64, 'b');
  CHECK(confirms({digest}, digest, verdict));
  CHECK(confirms({digest.substr(0, 12)}, digest, verdict));
  CHECK(confirms({std::string(64, 'b')}, digest, verdict));
  CHECK_FALSE(confirms({digest.substr(0, 11)}, digest, verdict));
  CHECK_FALSE(confirms({""}, digest, verdict));
  CHECK_FALSE(confirms({std::string(64, 'c')}, digest, verdict));
}
