#include <catch2/catch.hpp>

#include "reconciler/plan/report.h"

using namespace steer;

namespace {

PlannedChange change(PlanAction action, const std::string& name, const std::string& ns = "shop") {
  PlannedChange c;
  c.action = action;
  c.ref = {"configmaps", ns, name};
  c.gvk = {"", "v1", "ConfigMap"};
  return c;
}

/// One of everything, with what `evil` says in every place that people write.
PlanSet hostile(const std::string& evil) {
  Plan plan;
  plan.application = "root";
  plan.source = evil;
  auto update = change(PlanAction::update, evil, evil);
  update.source = {evil, 3, 1};
  update.fields.push_back({FieldChange::Kind::change, "data['" + evil + "']", json::value(evil), json::value("x")});
  update.fields.push_back({FieldChange::Kind::add, "spec", std::nullopt, json::object{{evil, json::array{evil, 1}}}});
  update.taken = {"spec.x from " + evil};
  update.left = {"spec.y to " + evil};
  auto refused = change(PlanAction::create, "b");
  refused.refusal = evil;
  auto replaced = change(PlanAction::replace, "c");
  replaced.forcedBy = evil;
  plan.changes = {update, refused, replaced, change(PlanAction::none, evil)};
  Plan other;
  other.application = evil;
  other.changes = {change(PlanAction::remove, evil)};
  return {{plan, other}};
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Markdown outside of HTML blocks and fences: blank lines and what follows them.
std::vector<std::string> looseLines(const std::string& markdown) {
  std::vector<std::string> out;
  std::string fence;
  bool block = false;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    if (!fence.empty()) {
      if (line == fence) fence.clear();
    } else if (line.empty()) {
      block = false;
    } else if (line.starts_with("```")) {
      fence = line.substr(0, line.find_first_not_of('`'));
    } else if (!block) {
      if (!line.starts_with("<")) out.push_back(line);
      block = true;
    }
  }
  if (!fence.empty()) out.push_back("a fence that does not end");
  return out;
}

}  // namespace

TEST_CASE("nothing that people write becomes a tag in the page or in Markdown") {
  const std::string evil = "<script>alert(1)</script><img src=x onerror=\"x\" title='x'>&amp;</code></pre></details>";
  for (const auto& text : {reportHtml(planReport(hostile(evil))), reportMarkdown(planReport(hostile(evil)))}) {
    std::string outside;  // fences show text as it is
    std::string fence;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (fence.empty() && line.starts_with("```")) fence = line.substr(0, line.find_first_not_of('`'));
      else if (!fence.empty() && line == fence) fence.clear();
      else if (fence.empty()) outside += line + "\n";
    }
    CHECK(outside.find("<script>") == std::string::npos);
    CHECK(outside.find("<img") == std::string::npos);
    CHECK(outside.find("onerror=\"") == std::string::npos);
    CHECK(outside.find("&lt;script&gt;") != std::string::npos);
    CHECK(count(outside, "<code>") == count(outside, "</code>"));
    CHECK(count(outside, "<details") == count(outside, "</details>"));
    CHECK(count(outside, "<pre>") == count(outside, "</pre>"));
  }
}

TEST_CASE("nothing that people write becomes Markdown") {
  for (const std::string evil : {"```", "`````\n# Approved\n", "\n\n# Approved\n\n[x](http://e.org)", "**bold** @team",
                                 "\r\n\r\n- x", "~~~\n</details>\n\n![x](http://e.org/x.png)"}) {
    const auto text = reportMarkdown(planReport(hostile(evil)));
    INFO(text);
    CHECK(looseLines(text).empty());
    CHECK(text.find("\n# Approved") == std::string::npos);
  }
}

TEST_CASE("what people write cannot move the cursor of a terminal or hide itself") {
  const auto text = reportText(planReport(hostile("a\x1b[2J\r\nb\xe2\x80\xae\x7f\xff")));
  for (const auto* bad : {"\x1b", "\r", "\xe2\x80\xae", "\x7f", "\xff"}) CHECK(text.find(bad) == std::string::npos);
  CHECK(text.find("\\x1b[2J") != std::string::npos);
  CHECK(visible("Grüße → 東京 🚢") == "Grüße → 東京 🚢");
}

TEST_CASE("the page loads nothing from elsewhere and runs nothing") {
  const auto page = reportHtml(planReport(hostile("x")));
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const auto* bad : {"http://", "https://", "<script", "src=", "@import"})
    CHECK(page.find(bad) == std::string::npos);
}

TEST_CASE("a replacement shows the field that forces it, in every format") {
  Plan plan;
  auto c = change(PlanAction::replace, "fixed");
  c.forcedBy = "spec.selector";
  plan.changes = {c};
  const auto report = planReport({{plan}});
  CHECK(reportText(report).find("-/+ ConfigMap fixed  # must be replaced: spec.selector cannot change") !=
        std::string::npos);
  CHECK(reportMarkdown(report).find("must be replaced: spec.selector cannot change") != std::string::npos);
  CHECK(reportHtml(report).find("must be replaced: spec.selector cannot change") != std::string::npos);
}

TEST_CASE("what stays is folded into a number, and applications are told apart") {
  Plan plan;
  plan.application = "root";
  plan.changes = {change(PlanAction::create, "new")};
  for (int i = 0; i < 12; ++i) plan.changes.push_back(change(PlanAction::none, "same-" + std::to_string(i)));
  Plan other;
  other.application = "other";
  other.waitsFor = {"root"};
  other.changes = {change(PlanAction::remove, "old")};
  const auto text = reportText(planReport({{plan, other}}));
  CHECK(text.find("12 unchanged\n") != std::string::npos);
  CHECK(text.find("same-3") == std::string::npos);
  CHECK(text.find("application root\n") < text.find("ConfigMap new"));
  CHECK(text.find("application other after root\n") < text.find("ConfigMap old"));
  CHECK(text.find("Digest: " + PlanSet{{plan, other}}.digest()) != std::string::npos);
  CHECK(text.find("Plan: 1 to create, 0 to update, 0 to replace, 1 to delete.") != std::string::npos);
  CHECK(count(reportMarkdown(planReport({{plan, other}})), "<summary>12 unchanged</summary>") == 1);
}

TEST_CASE("a plan too large for a comment says how much it leaves out") {
  Plan plan;
  for (int i = 0; i < 3000; ++i) plan.changes.push_back(change(PlanAction::create, "object-" + std::to_string(i)));
  const auto text = reportMarkdown(planReport({{plan}}));
  CHECK(text.size() < 65'536);
  CHECK(text.find("more objects, too many for this page") != std::string::npos);
}

TEST_CASE("drift names the field, both values, who and when") {
  auto live = parseJson(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop",
    "labels":{"steersman.dev/application":"root"},"managedFields":[
     {"manager":"steersman","operation":"Apply","time":"2026-01-01T00:00:00Z","fieldsV1":{"f:data":{"f:other":{}}}},
     {"manager":"early","operation":"Update","time":"2025-12-31T00:00:00Z","fieldsV1":{"f:metadata":{"f:annotations":{"f:old":{}}}}},
     {"manager":"kube-controller-manager","operation":"Update","time":"2026-01-01T02:00:00Z","fieldsV1":{"f:metadata":{"f:annotations":{"f:rev":{}}}}},
     {"manager":"kubectl-edit","operation":"Update","time":"2026-01-01T01:00:00Z","fieldsV1":{"f:data":{"f:k":{}},"f:metadata":{"f:annotations":{"f:note":{}}}}}]
    ,"annotations":{"old":"1","rev":"2","note":"mine"}},"data":{"k":"theirs","other":"x"}})")
                  .value()
                  .as_object();
  auto wanted =
      parseJson(
          R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"shop"},"data":{"k":"ours","other":"x"}})")
          .value()
          .as_object();
  PlannedChange c = change(PlanAction::update, "a");
  c.live = Object::make(live);
  c.wanted = wanted;
  c.fields = {{FieldChange::Kind::change, "data.k", json::value("theirs"), json::value("ours")}};
  Plan plan;
  plan.application = "root";
  plan.changes = {c, change(PlanAction::create, "gone")};
  const auto drift = driftOf(plan);
  REQUIRE(drift.size() == 2);
  REQUIRE(drift[0].fields.size() == 2);
  CHECK(drift[0].fields[0].path == "data.k");
  CHECK(drift[0].fields[0].manager == "kubectl-edit");
  CHECK(drift[0].fields[0].before == json::value("ours"));
  CHECK(drift[0].fields[0].after == json::value("theirs"));
  CHECK(drift[0].fields[1].path == "metadata.annotations.note");
  CHECK(drift[0].fields[1].after == json::value("mine"));
  CHECK(drift[1].missing);
  const auto text = reportText(driftReport({{"root", drift}}));
  CHECK(text.find("data.k: \"ours\" → \"theirs\"") != std::string::npos);
  CHECK(text.find("data.k was changed by kubectl-edit at 2026-01-01T01:00:00Z") != std::string::npos);
  CHECK(text.find("Drift: 2 objects were changed by others") != std::string::npos);
}

TEST_CASE("what is made is folded until its fields are asked for, and secrets stay masked then") {
  auto map = change(PlanAction::create, "a");
  map.wanted = parseJson(R"({"apiVersion":"v1","kind":"ConfigMap","data":{"k":"shown"}})")->as_object();
  auto secret = change(PlanAction::create, "b");
  secret.gvk = {"", "v1", "Secret"};
  secret.wanted = parseJson(R"({"apiVersion":"v1","kind":"Secret","data":{"k":"aGlkZGVu"}})")->as_object();
  Plan plan;
  plan.changes = {map, secret};
  CHECK(reportText(planReport({{plan}})).find("shown") == std::string::npos);
  for (const auto& text :
       {reportText(planReport({{plan}}, Creations::shown)), reportMarkdown(planReport({{plan}}, Creations::shown)),
        reportHtml(planReport({{plan}}, Creations::shown))}) {
    CHECK(text.find("shown") != std::string::npos);
    CHECK(text.find("aGlkZGVu") == std::string::npos);
  }
}

TEST_CASE("what left the source and stays is told with why") {
  Plan plan;
  plan.changes = {change(PlanAction::create, "a")};
  plan.kept = {"ConfigMap shop/data: steersman.dev/prune: never"};
  CHECK(reportText(planReport({{plan}})).find("left the source and stays: ConfigMap shop/data: steersman.dev/prune") !=
        std::string::npos);
}
