#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {
constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
}  // namespace

TEST_CASE("Unknown fields: refused when strict, warned about, or dropped") {
  TestServer s;
  auto body = deployment("web");
  body["spec"].get_object()["replicsa"] = 3;
  const std::string path = "/apis/apps/v1/namespaces/default/deployments";
  const auto strict = s.call("POST", path + "?fieldValidation=Strict", jsonText(body), "application/json");
  CHECK(strict.status == 400);
  CHECK(stringAt(s.object(strict), {"message"}) == "strict decoding error: unknown field \"spec.replicsa\"");
  const auto warned = s.call("POST", path + "?fieldValidation=Warn&dryRun=All", jsonText(body), "application/json");
  CHECK(warned.status == 201);
  CHECK(warned.headers.find("Warning")->second == "299 - \"unknown field \\\"spec.replicsa\\\"\"");
  const auto dropped = s.call("POST", path + "?fieldValidation=Ignore", jsonText(body), "application/json");
  CHECK(dropped.status == 201);
  CHECK(!dropped.headers.contains("Warning"));
  CHECK(find(s.object(dropped), {"spec", "replicsa"}) == nullptr);
}

TEST_CASE("A wrong type is a bad request, a missing field is invalid with its path") {
  TestServer s;
  auto body = deployment("web");
  body["spec"].get_object()["replicas"] = "three";
  const std::string path = "/apis/apps/v1/namespaces/default/deployments";
  CHECK(s.call("POST", path, jsonText(body), "application/json").status == 400);
  auto nameless = deployment("web");
  nameless["spec"].get_object()["template"].get_object()["spec"] = parsed(R"({"containers":[{"image":"nginx"}]})");
  const auto invalid = s.call("POST", path, jsonText(nameless), "application/json");
  CHECK(invalid.status == 422);
  const auto status = s.object(invalid);
  CHECK(stringAt(status, {"reason"}) == "Invalid");
  CHECK(stringAt(status, {"details", "kind"}) == "Deployment");
  CHECK(stringAt(status, {"details", "group"}) == "apps");
  CHECK(stringAt(arrayAt(status, {"details", "causes"}).at(0), {"field"}) == "spec.template.spec.containers[0].name");
}

TEST_CASE("Not found names the resource with its group") {
  TestServer s;
  const auto missing = s.call("GET", "/apis/apps/v1/namespaces/default/deployments/web");
  CHECK(missing.status == 404);
  const auto status = s.object(missing);
  CHECK(stringAt(status, {"message"}) == "deployments.apps \"web\" not found");
  CHECK(stringAt(status, {"details", "kind"}) == "deployments");
}

TEST_CASE("YAML is taken and given") {
  TestServer s;
  const auto made = s.call("POST", kMaps, "metadata:\n  name: a\ndata:\n  k: \"yes\"\n", "application/yaml");
  REQUIRE(made.status == 201);
  const auto read = s.call("GET", std::string(kMaps) + "/a", "", "", "application/yaml");
  CHECK(read.contentType == "application/yaml");
  CHECK(read.body.find("k: \"yes\"") != std::string::npos);
}

TEST_CASE("A body that is no JSON is a bad request, an unknown media type unsupported") {
  TestServer s;
  CHECK(s.call("POST", kMaps, "{", "application/json").status == 400);
  CHECK(s.call("POST", kMaps, "x", "text/csv").status == 415);
  CHECK(s.call("PATCH", std::string(kMaps) + "/a", "{}", "application/json").status == 415);
}

TEST_CASE("The table of pods has Kubernetes' columns and rows with metadata") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  const auto table = s.object(s.call("GET", "/api/v1/namespaces/default/pods", "", "", kTable));
  CHECK(stringAt(table, {"kind"}) == "Table");
  const auto& row = arrayAt(table, {"rows"}).at(0);
  CHECK(row.at("cells").at(0) == "a");
  CHECK(row.at("cells").at(1) == "0/1");
  CHECK(row.at("cells").at(3) == "0");
  CHECK(stringAt(row, {"object", "kind"}) == "PartialObjectMetadata");
  CHECK(stringAt(row, {"object", "metadata", "name"}) == "a");
}

TEST_CASE("Deleting a collection takes what the selector names") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a", R"({"app":"web"})"))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("b"))).ok());
  CHECK(s.call("DELETE", "/api/v1/namespaces/default/pods?labelSelector=app=web").status == 200);
  CHECK(!s.client->get({"pods", "default", "a"}).ok());
  CHECK(s.client->get({"pods", "default", "b"}).ok());
}

TEST_CASE("Discovery speaks the version that was asked for, and the plain form") {
  TestServer s;
  const auto beta =
      s.call("GET", "/apis", "", "",
             "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json");
  CHECK(beta.contentType == "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList");
  CHECK(stringAt(s.object(beta), {"apiVersion"}) == "apidiscovery.k8s.io/v2beta1");
  const auto plain = s.object(s.call("GET", "/apis/apps/v1"));
  bool scale = false;
  for (const auto& item : arrayAt(plain, {"resources"}))
    if (stringAt(item, {"name"}) == "deployments/scale")
      scale = stringAt(item, {"group"}) == "autoscaling" && stringAt(item, {"version"}) == "v1";
  CHECK(scale);
  CHECK(s.call("GET", "/apis/nosuch.group/v1").status == 404);
}

TEST_CASE("OpenAPI documents have hashed addresses that may be kept for ever") {
  TestServer s;
  const auto index = s.object(s.call("GET", "/openapi/v3"));
  const std::string url(stringAt(index, {"paths", "apis/apps/v1", "serverRelativeURL"}));
  const auto document = s.call("GET", url);
  REQUIRE(document.status == 200);
  CHECK(document.headers.find("Cache-Control")->second == "public, immutable");
  const auto body = s.object(document);
  const auto* patch = find(body, {"paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch"});
  REQUIRE(patch != nullptr);
  CHECK(find(*patch, {"requestBody", "content", "application/strategic-merge-patch+json"}) != nullptr);
}

TEST_CASE("Strangers see the health pages only; nodes what concerns them") {
  TestServer s;
  Request request;
  request.method = "GET";
  request.identity = {"system:anonymous", {"system:unauthenticated"}};
  request.path = "/readyz";
  CHECK(s.api.handle(request).status == 200);
  request.path = "/api/v1/pods";
  CHECK(s.api.handle(request).status == 403);
  REQUIRE(s.client->write(Write::create("pods", pod("mine"))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("other"))).ok());
  REQUIRE(s.client->write(Write::bind("default", "mine", "", "n1")).ok());
  REQUIRE(s.client->write(Write::bind("default", "other", "", "n2")).ok());
  auto node = makeInProcessClient(s.api, {"system:node:n1", {"system:nodes", "system:authenticated"}});
  const auto report = [&](const std::string& name) {
    return node->write(Write::patch({"pods", "default", name}, PatchType::merge,
                                    parsed(R"({"status":{"phase":"Running"}})"), "status"));
  };
  CHECK(report("mine").ok());
  CHECK(report("other").error().code == Errc::forbidden);
  CHECK(node->get({"nodes", "", "x"}).error().code == Errc::notFound);
  CHECK(node->list("secrets", {}).error().code == Errc::forbidden);
  CHECK(node->write(Write::create("configmaps", configMap("a"))).error().code == Errc::forbidden);
}

TEST_CASE("A node reads the secrets of its own pods only") {
  TestServer s;
  for (const char* name : {"used", "unused"})
    REQUIRE(s.client
                ->write(Write::create("secrets", parsed(R"({"metadata":{"namespace":"default","name":")" +
                                                        std::string(name) + R"("},"stringData":{"k":"v"}})")))
                .ok());
  auto body = pod("a");
  body["spec"].get_object()["containers"].get_array()[0].get_object()["envFrom"] =
      json::array{json::object{{"secretRef", {{"name", "used"}}}}};
  REQUIRE(s.client->write(Write::create("pods", body)).ok());
  REQUIRE(s.client->write(Write::bind("default", "a", "", "n1")).ok());
  auto node = makeInProcessClient(s.api, {"system:node:n1", {"system:nodes"}});
  CHECK(node->get({"secrets", "default", "used"}).ok());
  CHECK(node->get({"secrets", "default", "unused"}).error().code == Errc::forbidden);
}

TEST_CASE("Reviews of oneself tell the truth") {
  TestServer s;
  const auto me =
      s.object(s.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}", "application/json"));
  CHECK(stringAt(me, {"status", "userInfo", "username"}) == s.admin.user);
  const std::string may = R"({"spec":{"resourceAttributes":{"verb":"delete","resource":"pods"}}})";
  const std::string path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  CHECK(boolAt(s.object(s.call("POST", path, may, "application/json")), {"status", "allowed"}));
  s.admin = {"system:node:n1", {"system:nodes"}};
  CHECK(!boolAt(s.object(s.call("POST", path, may, "application/json")), {"status", "allowed"}));
}

TEST_CASE("No error text shows the value of a secret") {
  TestServer s;
  const std::string path = "/api/v1/namespaces/default/secrets";
  for (const char* body :
       {R"({"metadata":{"name":"a"},"data":{"k":"hunter2!"}})",
        R"({"metadata":{"name":"a"},"data":{"bad key":"aHVudGVyMg=="}})",
        R"({"metadata":{"name":"a"},"data":"hunter2"})", R"({"metadata":{"name":"a"},"stringData":{"k":["hunter2"]}})",
        R"({"metadata":{"name":"a"},"data":{"k":"hunter2"},,})"}) {
    const auto refused = s.call("POST", path, body, "application/json");
    CHECK(refused.status >= 400);
    CHECK(refused.body.find("hunter2") == std::string::npos);
    CHECK(refused.body.find("aHVudGVyMg") == std::string::npos);
  }
}
