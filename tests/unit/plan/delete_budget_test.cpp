#include <catch2/catch.hpp>

#include "reconciler/plan/application_policy.h"
#include "reconciler/plan/delete_budget.h"
#include "reconciler/plan/plan_text.h"
#include "reconciler/plan/report.h"

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

TEST_CASE("a plan says in every form that it needs a confirmation, and what the confirmation looks like") {
  auto plan = planOf(6, 12);
  plan.source = "a directory";
  const auto verdict = checkDeletions(plan, plan.deleteBudget);
  const std::string words = "needs confirmation: 6 of 12 objects (50 %) would be deleted";
  const auto trailer = "Steersman-Confirm-Delete: " + verdict.deletionsDigest.substr(0, 16);
  const PlanSet set{{plan}};
  for (const auto& form : {reportText(planReport(set)), reportMarkdown(planReport(set)), reportHtml(planReport(set))}) {
    CHECK(form.find(words) != std::string::npos);
    CHECK(form.find(trailer) != std::string::npos);
    CHECK(form.find("steer approve COMMIT") != std::string::npos);
  }
  const auto document = planSetJson(set);
  CHECK(boolAt(document, {"deletions", "needsConfirmation"}));
  CHECK(intAt(document, {"deletions", "total"}) == 6);
  CHECK(stringAt(document, {"deletions", "trailer"}) == trailer);
  CHECK(confirms(confirmedDigests("Clean up\n\n" + confirmationTrailer(verdict)), plan.digest(), verdict));

  plan.commit = "0123456789abcdef";
  CHECK(reportText(planReport({{plan}})).find("steer approve 0123456") != std::string::npos);
  plan.deleteBudget = {60, 5};
  CHECK(reportText(planReport({{plan}})).find("needs confirmation") == std::string::npos);
  CHECK_FALSE(boolAt(planSetJson({{plan}}), {"deletions", "needsConfirmation"}, true));
}

TEST_CASE("the budget of a spec is read, and what is out of range keeps its default") {
  CHECK(deleteBudgetOf({{"deleteBudget", {{"percent", 50}, {"count", 2}}}}).percent == 50);
  CHECK(deleteBudgetOf({{"deleteBudget", {{"percent", 50}, {"count", 2}}}}).count == 2);
  CHECK(deleteBudgetOf({{"deleteBudget", {{"percent", 500}, {"count", -2}}}}).percent == 20);
  CHECK(deleteBudgetOf(json::object{}).count == 5);
}

TEST_CASE("a plan says whether the commit's own trailer confirms its deletions, in every format") {
  Plan plan = planOf(6, 12);
  const auto verdict = checkDeletions(plan, {});
  const auto shown = [&] {
    const auto report = planReport({{plan}});
    return std::vector<std::string>{reportText(report), reportMarkdown(report), reportHtml(report)};
  };
  const auto deletions = [&] { return planJson(plan).at("deletions").as_object(); };
  for (const auto& text : shown()) {
    CHECK(text.find("needs confirmation: 6 of 12 objects") != std::string::npos);
    CHECK(text.find("trailer names other") == std::string::npos);
  }
  CHECK_FALSE(deletions().contains("trailerMatches"));

  plan.confirmedDeletions = {"0123456789abcdef"};
  for (const auto& text : shown()) {
    CHECK(text.find("needs confirmation: 6 of 12 objects") != std::string::npos);
    CHECK(text.find("trailer names other deletions") != std::string::npos);
  }
  CHECK(deletions().at("trailerMatches") == false);

  plan.confirmedDeletions = {verdict.deletionsDigest.substr(0, 16)};
  for (const auto& text : shown()) {
    CHECK(text.find("needs confirmation") == std::string::npos);
    CHECK(text.find("trailer: 6 of 12 objects (50 %) would be deleted") != std::string::npos);
  }
  CHECK(deletions().at("trailerMatches") == true);
  CHECK(deletions().at("confirmedBy") == "the commit's trailer");
  CHECK(trailerSays({plan.digest()}, plan, verdict) == TrailerSays::yes);
}
