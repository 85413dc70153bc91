// What patches, applies and dry runs leave and answer.
#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {

constexpr const char* kMerge = "application/merge-patch+json";
constexpr const char* kStrategic = "application/strategic-merge-patch+json";
constexpr const char* kApply = "application/apply-patch+yaml";
const std::string kPods = "/api/v1/namespaces/default/pods";
const std::string kMaps = "/api/v1/namespaces/default/configmaps";
const std::string kDeployments = "/apis/apps/v1/namespaces/default/deployments";

}  // namespace

TEST_CASE("A patch of labels leaves every null of the status where it is") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("p"))).ok());
  const auto* status =
      R"({"status":{"conditions":[{"type":"Ready","status":"False","lastProbeTime":null,"lastTransitionTime":null}]}})";
  auto live = s.object(s.call("GET", kPods + "/p"));
  live["status"] = *find(parsed(status), {"status"});
  REQUIRE(s.call("PUT", kPods + "/p/status", json::serialize(live), "application/json").status == 200);
  const auto before = s.object(s.call("GET", kPods + "/p"));
  REQUIRE(jsonText(*find(before, {"status"})).find("\"lastProbeTime\":null") != std::string::npos);
  for (const char* type : {kStrategic, kMerge})
    REQUIRE(s.call("PATCH", kPods + "/p",
                   R"({"metadata":{"labels":{"x":")" + std::string(type).substr(12, 3) + R"("}}})", type)
                .status == 200);
  const auto after = s.object(s.call("GET", kPods + "/p"));
  CHECK(stringAt(after, {"metadata", "labels", "x"}) == "mer");
  CHECK(*find(after, {"status"}) == *find(before, {"status"}));
}

TEST_CASE("A patch through the status changes what of the metadata the kind lets through") {
  TestServer s;
  const std::string patch = R"({"metadata":{"labels":{"x":"y"},"annotations":{"n":"m"}},"status":{}})";
  REQUIRE(s.client->write(Write::create("pods", pod("p"))).ok());
  const auto podAfter = s.object(s.call("PATCH", kPods + "/p/status", patch, kMerge));
  CHECK(stringAt(podAfter, {"metadata", "labels", "x"}) == "y");
  CHECK(stringAt(podAfter, {"metadata", "annotations", "n"}) == "m");
  REQUIRE(s.client->write(Write::create("deployments.apps", deployment("d"))).ok());
  const auto deploymentAfter = s.object(s.call("PATCH", kDeployments + "/d/status", patch, kStrategic));
  CHECK(stringAt(deploymentAfter, {"metadata", "annotations", "n"}) == "m");
  CHECK(stringAt(deploymentAfter, {"metadata", "labels", "x"}).empty());
  // A node brings a status and nothing else.
  s.admin = {"system:node:a", {"system:nodes", "system:masters"}};
  const auto byNode = s.object(
      s.call("PATCH", kPods + "/p/status", R"({"metadata":{"labels":{"x":"z"}},"status":{"phase":"Failed"}})", kMerge));
  CHECK(stringAt(byNode, {"metadata", "labels", "x"}) == "y");
  CHECK(stringAt(byNode, {"status", "phase"}) == "Failed");
  CHECK(s.call("PATCH", kPods + "/p/status", R"({"metadata":{"labels":{"x":"not a label"}}})", kMerge).status == 200);
  s.admin = systemIdentity();
  CHECK(s.call("PATCH", kPods + "/p/status", R"({"metadata":{"labels":{"x":"not a label"}}})", kMerge).status == 422);
}

TEST_CASE("A dry run answers the revision that lives, and none for what would be made") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("configmaps", configMap("a"))).ok());
  const auto live = s.object(s.call("GET", kMaps + "/a"));
  const auto changed = s.object(s.call("PATCH", kMaps + "/a?dryRun=All", R"({"data":{"k":"2"}})", kMerge));
  CHECK(stringAt(changed, {"data", "k"}) == "2");
  CHECK(stringAt(changed, {"metadata", "resourceVersion"}) == stringAt(live, {"metadata", "resourceVersion"}));
  const auto same = s.object(s.call("PATCH", kMaps + "/a?dryRun=All", "{}", kMerge));
  CHECK(same == live);
  const auto made =
      s.object(s.call("POST", kMaps + "?dryRun=All", json::serialize(configMap("b")), "application/json"));
  CHECK(find(made, {"metadata", "resourceVersion"}) == nullptr);
  CHECK_FALSE(stringAt(made, {"metadata", "uid"}).empty());
}

TEST_CASE("Who is refused at creation is named in the details") {
  TestServer s;
  const auto refused = s.call("POST", kDeployments, R"({"metadata":{"name":"d"},"spec":{}})", "application/json");
  REQUIRE(refused.status == 422);
  CHECK(stringAt(s.object(refused), {"details", "name"}) == "d");
  REQUIRE(s.client->write(Write::create("configmaps", configMap("a"))).ok());
  const auto twice = s.call("POST", kMaps, json::serialize(configMap("a")), "application/json");
  CHECK(stringAt(s.object(twice), {"details", "name"}) == "a");
}

TEST_CASE("A null value of a map of texts is the empty text, however it comes") {
  TestServer s;
  const std::string body =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME","labels":{"l":null},"annotations":{"baz":null}},"data":{"a":null,"b":"x"}})";
  const auto named = [&](const std::string& name) { return std::string(body).replace(body.find("NAME"), 4, name); };
  REQUIRE(s.call("POST", kMaps, named("c"), "application/json").status == 201);
  REQUIRE(s.call("PATCH", kMaps + "/d?fieldManager=m", named("d"), kApply).status == 201);
  for (const std::string name : {"c", "d"}) {
    const auto object = s.object(s.call("GET", kMaps + "/" + name));
    CHECK(jsonText(*find(object, {"data"})) == R"({"a":"","b":"x"})");
    CHECK(jsonText(*find(object, {"metadata", "labels"})) == R"({"l":""})");
    CHECK(jsonText(*find(object, {"metadata", "annotations"})) == R"({"baz":""})");
  }
  const auto once = s.call("GET", kMaps + "/d").body;
  s.clock.advance(std::chrono::hours(1));
  REQUIRE(s.call("PATCH", kMaps + "/d?fieldManager=m", named("d"), kApply).status == 200);
  CHECK(s.call("GET", kMaps + "/d").body == once);
}

TEST_CASE("A patch that leaves what the kind cannot hold is unprocessable") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("deployments.apps", deployment("d"))).ok());
  for (const char* type : {kStrategic, kMerge})
    CHECK(s.call("PATCH", kDeployments + "/d", R"({"spec":{"replicas":"many"}})", type).status == 422);
  CHECK(s.call("PATCH", kDeployments + "/d", R"([{"op":"replace","path":"/spec/template","value":7}])",
               "application/json-patch+json")
            .status == 422);
}

TEST_CASE("Items of one key are kept by create and update, and refused by apply") {
  TestServer s;
  auto twice = deployment("d");
  auto& container = twice["spec"].as_object()["template"].as_object()["spec"].as_object()["containers"].as_array()[0];
  container.as_object()["env"] = json::array{{{"name", "A"}, {"value", "1"}}, {{"name", "A"}, {"value", "2"}}};
  REQUIRE(s.call("POST", kDeployments, json::serialize(twice), "application/json").status == 201);
  const auto envOf = [&] {
    const auto live = s.object(s.call("GET", kDeployments + "/d"));
    return jsonText(*find(arrayAt(live, {"spec", "template", "spec", "containers"})[0], {"env"}));
  };
  const std::string both = R"([{"name":"A","value":"1"},{"name":"A","value":"2"}])";
  CHECK(envOf() == both);
  const std::string label =
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","labels":{"x":"y"}}})";
  CHECK(s.call("PATCH", kDeployments + "/d?fieldManager=m", label, kApply).status == 200);
  CHECK(envOf() == both);
  const auto refused = s.call("PATCH", kDeployments + "/d?fieldManager=m&force=true", json::serialize(twice), kApply);
  CHECK(refused.status == 422);
  CHECK(stringAt(s.object(refused), {"message"}) ==
        "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): "
        ".spec.template.spec.containers[name=\"c\"].env: duplicate entries for key [name=\"A\"]");
  CHECK(envOf() == both);
}
