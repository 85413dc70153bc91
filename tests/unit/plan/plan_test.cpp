#include <catch2/catch.hpp>

#include "reconciler/plan/hooks.h"
#include "reconciler/plan/plan.h"
#include "reconciler/plan/plan_text.h"

using namespace steer;

namespace {

json::object parse(const std::string& text) { return parseJson(text)->as_object(); }

json::object configMap(const std::string& name, const std::string& value, const std::string& manager = "steersman",
                       const std::string& app = "root") {
  auto o = parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                 R"(","namespace":"shop","uid":"u-)" + name + R"("},"data":{"k":")" + value + R"("}})");
  auto& meta = o["metadata"].as_object();
  if (!app.empty()) meta["labels"] = json::object{{kApplicationLabel, app}};
  auto fields = parse(R"({"f:data":{"f:k":{}}})");
  if (manager == "steersman") fields["f:metadata"] = parse(R"({"f:labels":{"f:steersman.dev/application":{}}})");
  meta["managedFields"] = json::array{json::object{{"manager", manager},
                                                   {"operation", manager == "steersman" ? "Apply" : "Update"},
                                                   {"fieldsV1", std::move(fields)}}};
  return o;
}

ObjectRef refOf(const std::string& name) { return {"configmaps", "shop", name}; }

void want(PlanInput& in, json::object body, Result<ObjectPtr> predicted) {
  const std::string name(stringAt(body, {"metadata", "name"}));
  in.wanted.push_back({refOf(name), std::move(body), {"shop/" + name + ".yaml", 3, 1}});
  in.predicted.push_back(std::move(predicted));
}

void live(PlanInput& in, json::object body) {
  const auto object = Object::make(std::move(body));
  in.live.emplace(refOf(object->name()), object);
  if (ownedBy(*object, "root")) in.owned.emplace(refOf(object->name()), object);
}

const PlannedChange& changeOf(const Plan& plan, const std::string& name) {
  for (const auto& c : plan.changes)
    if (c.ref.name == name) return c;
  FAIL("no change for " + name);
  return plan.changes.front();
}

}  // namespace

TEST_CASE("what is missing is created, what differs is updated field by field, what matches stays") {
  PlanInput in;
  live(in, configMap("b", "old"));
  live(in, configMap("c", "same"));
  want(in, configMap("a", "1"), Object::make(configMap("a", "1")));
  want(in, configMap("b", "new"), Object::make(configMap("b", "new")));
  want(in, configMap("c", "same"), Object::make(configMap("c", "same")));
  const Plan plan = buildPlan(std::move(in));
  CHECK(changeOf(plan, "a").action == PlanAction::create);
  CHECK(changeOf(plan, "b").action == PlanAction::update);
  REQUIRE(changeOf(plan, "b").fields.size() == 1);
  CHECK(changeOf(plan, "b").fields[0].path == "data.k");
  CHECK(changeOf(plan, "c").action == PlanAction::none);
  CHECK(planSummary(plan) == "Plan: 1 to create, 1 to update, 0 to replace, 0 to delete.");
}

TEST_CASE("only what the application applied is deleted") {
  PlanInput in;
  live(in, configMap("ours", "1"));
  live(in, configMap("copy-by-a-person", "1", "kubectl"));
  live(in, configMap("other-application", "1", "steersman", "other"));
  in.owned = in.live;  // even if the caller is careless
  const Plan plan = buildPlan(std::move(in));
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].ref.name == "ours");
  CHECK(plan.changes[0].action == PlanAction::remove);
}

TEST_CASE("an object that exists and is not ours is adopted, although no field changes") {
  PlanInput in;
  live(in, configMap("a", "1", "kubectl"));
  want(in, configMap("a", "1"), Object::make(configMap("a", "1")));
  const Plan plan = buildPlan(std::move(in));
  CHECK(plan.changes[0].action == PlanAction::update);
  CHECK(plan.changes[0].adopts);
  CHECK(plan.changes[0].taken == std::vector<std::string>{"data.k from kubectl"});
}

TEST_CASE("an immutable field forces a replacement and is named") {
  PlanInput in;
  live(in, configMap("a", "1"));
  Error refused = makeError(Errc::invalid, "ConfigMap \"a\" is invalid");
  refused.causes.push_back({"FieldValueForbidden", "data", "field is immutable when `immutable` is set"});
  want(in, configMap("a", "2"), refused);
  in.renewed.emplace(refOf("a"), Object::make(configMap("a", "2")));
  const Plan plan = buildPlan(std::move(in));
  CHECK(plan.changes[0].action == PlanAction::replace);
  CHECK(plan.changes[0].forcedBy == "data");
  CHECK(planText(plan).find("-/+ ConfigMap a") != std::string::npos);
}

TEST_CASE("what the server refuses is shown with its reason and does not make the plan empty") {
  PlanInput in;
  want(in, configMap("a", "1"), makeError(Errc::invalid, "data is too strange"));
  want(in, configMap("b", "1"), Object::make(configMap("b", "1")));
  const Plan plan = buildPlan(std::move(in));
  CHECK_FALSE(plan.empty());
  CHECK(plan.counts().refused == 1);
  CHECK(plan.counts().create == 1);
  CHECK(planText(plan).find("data is too strange") != std::string::npos);
}

TEST_CASE("namespaces come first, workloads late, and deletions last in the opposite order") {
  PlanInput in;
  const auto add = [&](const std::string& resource, const std::string& apiVersion, const std::string& kind) {
    auto body = parse(R"({"apiVersion":")" + apiVersion + R"(","kind":")" + kind + R"(","metadata":{"name":"x"}})");
    in.wanted.push_back({{resource, "", "x"}, body, {}});
    in.predicted.push_back(Object::make(body));
  };
  add("deployments.apps", "apps/v1", "Deployment");
  add("services", "v1", "Service");
  add("configmaps", "v1", "ConfigMap");
  add("namespaces", "v1", "Namespace");
  live(in, configMap("old", "1"));
  auto ns = configMap("old", "1");
  ns["kind"] = "Namespace";
  in.owned.emplace(ObjectRef{"namespaces", "", "old"}, Object::make(ns));
  const Plan plan = buildPlan(std::move(in));
  std::vector<std::string> order;
  for (const auto& c : plan.changes) order.push_back(std::string(actionName(c.action)) + " " + c.gvk.kind);
  CHECK(order == std::vector<std::string>{"create Namespace", "create ConfigMap", "create Service", "create Deployment",
                                          "delete ConfigMap", "delete Namespace"});
}

TEST_CASE("no secret value reaches the text or the JSON of a plan") {
  PlanInput in;
  auto before = configMap("s", "1");
  before["kind"] = "Secret";
  before["data"] = json::object{{"password", "aHVudGVyMQ=="}};
  auto after = before;
  after["data"].as_object()["password"] = "aHVudGVyMg==";
  const auto object = Object::make(before);
  in.live.emplace(ObjectRef{"secrets", "shop", "s"}, object);
  in.wanted.push_back({{"secrets", "shop", "s"}, after, {}});
  in.predicted.push_back(Object::make(after));
  const Plan plan = buildPlan(std::move(in));
  REQUIRE(plan.counts().update == 1);
  for (const auto& text : {planText(plan), jsonText(planJson(plan))}) {
    CHECK(text.find("aHVudGVy") == std::string::npos);
    CHECK(text.find("password") != std::string::npos);
  }
}

TEST_CASE("an empty plan says so and a plan's digest follows its content") {
  PlanInput in;
  in.source = "commit abc";
  const Plan none = buildPlan(std::move(in));
  CHECK(planText(none) == "No changes. The cluster matches commit abc.\n");
  PlanInput one;
  want(one, configMap("a", "1"), Object::make(configMap("a", "1")));
  PlanInput two;
  want(two, configMap("a", "2"), Object::make(configMap("a", "2")));
  const auto a = buildPlan(std::move(one)).digest();
  CHECK(a != buildPlan(std::move(two)).digest());
  CHECK(a != none.digest());
}

TEST_CASE("hooks are shown beside the changes, counted apart, and only when they will run") {
  Plan plan;
  plan.source = "commit 1";
  PlannedHook hook;
  hook.when = Hook::preSync;
  hook.ref = {"jobs.batch", "shop", "migrate"};
  hook.source = {"hooks.yaml", 3, 1};
  hook.wanted = parseJson(R"({"kind":"Job","spec":{}})")->as_object();
  plan.hooks.push_back(hook);
  CHECK(plan.empty());
  CHECK(planText(plan) ==
        "hooks\n  > pre-sync Job shop/migrate  (hooks.yaml:3)\n\nNo changes. The cluster matches commit 1. 1 hook to "
        "run.\n");
  const auto digest = plan.digest();
  plan.hooks[0].last = Object::make(hookJob(hook, "commit-0"));
  CHECK(planText(plan) == "No changes. The cluster matches commit 1.\n");
  CHECK(plan.digest() != digest);
}
