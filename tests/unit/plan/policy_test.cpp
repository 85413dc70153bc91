#include <catch2/catch.hpp>

#include "reconciler/plan/application_policy.h"
#include "reconciler/plan/field_steps.h"
#include "reconciler/plan/plan.h"
#include "reconciler/plan/selection.h"

using namespace steer;

namespace {

json::object parse(const std::string& text) { return parseJson(text)->as_object(); }

const char* kWeb = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop",
  "labels":{"steersman.dev/application":"root","tier":"front"}},
  "spec":{"replicas":2,"template":{"spec":{"containers":[{"name":"c","image":"web:1"},{"name":"d","image":"log:1"}]}}}})";

/// web, with fields that one more manager holds.
ObjectPtr liveWith(const std::string& manager, const std::string& fields, const std::string& subresource = "") {
  auto o = parse(kWeb);
  o["metadata"].as_object()["managedFields"] =
      parseJson(R"([{"manager":"steersman","operation":"Apply","apiVersion":"apps/v1",
     "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{}}}},
    {"manager":")" +
                manager + R"(","operation":"Update","apiVersion":"apps/v1","fieldsType":"FieldsV1","subresource":")" +
                subresource + R"(","fieldsV1":)" + fields + "}]")
          .value();
  return Object::make(o);
}

std::vector<std::string> leave(json::object& body, const ObjectPtr& live, const std::string& spec) {
  return leaveToOthers(body, *live, policyOf(parse(spec)));
}

const char* kReplicas = R"({"f:spec":{"f:replicas":{}}})";

}  // namespace

TEST_CASE("replicas that an autoscaler holds are left to it, and only these") {
  auto body = parse(kWeb);
  const auto left =
      leave(body, liveWith("hpa", kReplicas, "scale"), R"({"ignoreFields":[{"paths":["spec.replicas"]}]})");
  CHECK(left == std::vector<std::string>{"spec.replicas to hpa"});
  CHECK_FALSE(body["spec"].as_object().contains("replicas"));
  CHECK(body["spec"].as_object().contains("template"));
}

TEST_CASE("a field that nobody else holds is applied, although it is named") {
  auto body = parse(kWeb);
  CHECK(
      leave(body, liveWith("hpa", R"({"f:spec":{"f:paused":{}}})"), R"({"ignoreFields":[{"paths":["spec.replicas"]}]})")
          .empty());
  CHECK(body == parse(kWeb));
}

TEST_CASE("a rule for other objects, or for other managers, leaves nothing") {
  for (const auto* rule :
       {R"({"kind":"Service","paths":["spec.replicas"]})", R"({"name":"api*","paths":["spec.replicas"]})",
        R"({"managers":["argo*"],"paths":["spec.replicas"]})"}) {
    auto body = parse(kWeb);
    CHECK(leave(body, liveWith("hpa", kReplicas), std::string(R"({"ignoreFields":[)") + rule + "]}").empty());
  }
  auto body = parse(kWeb);
  CHECK(leave(body, liveWith("hpa", kReplicas),
              R"({"ignoreFields":[{"kind":"Dep*","name":"w?b","managers":["h*"],"paths":["/spec/replicas"]}]})")
            .size() == 1);
}

TEST_CASE("a respected manager keeps whatever it holds, but never the label by which we own the object") {
  auto body = parse(kWeb);
  const auto left =
      leave(body, liveWith("vendor", R"({"f:metadata":{"f:labels":{"f:tier":{},"f:steersman.dev/application":{}}},
      "f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:name":{},"f:image":{}}}}}}})"),
            R"({"respectManagers":["vendor"]})");
  CHECK(left == std::vector<std::string>{"metadata.labels.tier to vendor",
                                         "spec.template.spec.containers[name=c].image to vendor"});
  CHECK(body.at("metadata").at("labels") == parse(R"({"steersman.dev/application":"root"})"));
  CHECK(body.at("spec").at("template").at("spec").at("containers") ==
        parseJson(R"([{"name":"c"},{"name":"d","image":"log:1"}])").value());
}

TEST_CASE("a path into a keyed list names one item or all") {
  const std::string held =
      R"({"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{"f:image":{}},"k:{\"name\":\"d\"}":{"f:image":{}}}}}}})";
  auto one = parse(kWeb);
  CHECK(leave(one, liveWith("updater", held),
              R"({"ignoreFields":[{"paths":["spec.template.spec.containers[name=d].image"]}]})")
            .size() == 1);
  auto all = parse(kWeb);
  CHECK(leave(all, liveWith("updater", held),
              R"({"ignoreFields":[{"paths":["spec.template.spec.containers[*].image"]}]})")
            .size() == 2);
}

TEST_CASE("a rule that cannot be read gives nothing away, and is a problem that names its place") {
  const auto spec = parse(R"({"ignoreFields":[{"paths":["spec..replicas"]},{"kind":"Deployment"}]})");
  auto body = parse(kWeb);
  CHECK(leaveToOthers(body, *liveWith("hpa", kReplicas), policyOf(spec)).empty());
  const auto problems = policyProblems(spec);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].first == "spec.ignoreFields[0].paths[0]");
  CHECK(problems[1].first == "spec.ignoreFields[1]");
}

TEST_CASE("paths are read in the three spellings that people use") {
  CHECK(*parsePathPattern("metadata.annotations['a.b/c']") ==
        std::vector<std::string>{"metadata", "annotations", "a.b/c"});
  CHECK(*parsePathPattern("/metadata/annotations/a.b~1c") ==
        std::vector<std::string>{"metadata", "annotations", "a.b/c"});
  CHECK(*parsePathPattern("a.b[name=x.y].c") == std::vector<std::string>{"a", "b", "[name=x.y]", "c"});
  for (const auto* bad : {"", ".", "a.", "a..b", "a[", "[x]", "a['x"}) CHECK_FALSE(parsePathPattern(bad).has_value());
}

TEST_CASE("a target names objects by kind, short name or pattern, with or without a namespace") {
  const Gvk deployment{"apps", "v1", "Deployment"};
  const ObjectRef web{"deployments.apps", "shop", "web"};
  for (const auto* yes : {"Deployment/web", "deploy/shop/web", "deployments/sh*/w?b", "*/shop/*", "deployment/web"})
    CHECK(ObjectPattern::parse(yes)->matches(deployment, web));
  for (const auto* no : {"svc/web", "deploy/other/web", "deploy/api"})
    CHECK_FALSE(ObjectPattern::parse(no)->matches(deployment, web));
  for (const auto* bad : {"web", "deploy/", "a/b/c/d", "deplyoment/web", ""})
    CHECK_FALSE(ObjectPattern::parse(bad).ok());
}
