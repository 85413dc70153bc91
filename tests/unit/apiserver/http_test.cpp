#include <catch2/catch.hpp>

#include "core/barrier.h"
#include "core/log.h"
#include "fixture.h"
#include "schemas/schema.h"

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

TEST_CASE("Whoever makes an object of a kind that nothing serves is warned, and nobody else") {
  TestServer s;
  const auto* kind = SchemaRegistry::builtin().find({"scheduling.k8s.io", "v1", "PriorityClass"});
  REQUIRE(kind != nullptr);
  const json::object body{{"apiVersion", "scheduling.k8s.io/v1"},
                          {"kind", "PriorityClass"},
                          {"metadata", {{"name", "high"}}},
                          {"value", 10}};
  const auto made = s.call("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", jsonText(body), "application/json");
  CHECK(made.status == 201);
  CHECK(made.headers.contains("Warning") != kind->served);
  const auto served =
      s.call("POST", "/apis/apps/v1/namespaces/default/deployments", jsonText(deployment("web")), "application/json");
  CHECK(!served.headers.contains("Warning"));
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

TEST_CASE("The verbose health page names what barriers hold back") {
  TestServer s;
  log::setLevel(log::Level::off);
  CHECK(s.call("GET", "/readyz").body == "ok");
  (void)barrier::run("a test", [] { throw std::runtime_error("broken"); });
  CHECK(s.call("GET", "/readyz?verbose").body ==
        "[+]ping ok\n[-]a test failed: broken, 1 in a row\nreadyz check passed\n");
  (void)barrier::run("a test", [] {});
  CHECK(s.call("GET", "/livez?verbose").body == "[+]ping ok\nlivez check passed\n");
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

TEST_CASE("No error of a patch shows the value of a secret, be it a dry run or not") {
  TestServer s;
  const std::string path = "/api/v1/namespaces/default/secrets";
  REQUIRE(s.call("POST", path, R"({"metadata":{"name":"a"},"immutable":true,"stringData":{"k":"hunter2"}})",
                 "application/json")
              .status == 201);
  const std::string json = "application/json-patch+json", merge = "application/merge-patch+json";
  const std::string strategic = "application/strategic-merge-patch+json", apply = "application/apply-patch+yaml";
  const std::vector<std::pair<std::string, std::string>> patches{
      {json, R"([{"op":"test","path":"/data/k","value":"hunter2"}])"},
      {json, R"([{"op":"replace","path":"/data/k","value":"hunter2!"}])"},
      {json, R"([{"op":"add","path":"/data/k/deeper","value":"hunter2"}])"},
      {json, R"({"op":"hunter2"})"},
      {merge, R"({"data":{"k":"hunter2!"}})"},
      {merge, R"({"data":"hunter2"})"},
      {merge, R"({"data":{"k":{"hunter2":"hunter2"}}})"},
      {merge, R"({"stringData":{"k":"hunter2-changed"}})"},
      {merge, R"({"immutable":"hunter2"})"},
      {strategic, R"({"data":{"k":"aHVudGVyMg=="},"$retainKeys":"hunter2"})"},
      {strategic, R"({"data":{"k":["hunter2"]}})"},
      {strategic, R"({"data":{"k":"hunter2"} "hunter2")"},
      {apply, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: 'hunter2!'}\n"},
      {apply, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: [hunter2]\n"},
      {apply, "metadata: {name: a}\nstringData: {k: 'hunter2\n"}};
  for (const auto& [type, body] : patches)
    for (const char* query :
         {"?fieldManager=t", "?fieldManager=t&dryRun=All", "?fieldManager=t&fieldValidation=Strict"}) {
      INFO(type << " " << body << " " << query);
      const auto refused = s.call("PATCH", path + "/a" + query, body, type);
      CHECK(refused.status >= 400);
      CHECK(refused.body.find("hunter2") == std::string::npos);
      CHECK(refused.body.find("aHVudGVyMg") == std::string::npos);
    }
}

TEST_CASE("A key that stands twice is refused when strict, warned about, or the last one wins") {
  TestServer s;
  const std::string twice = R"({"metadata":{"name":"a","labels":{"x":"1","x":"2"}},"data":{"k":"1"},"data":{"k":"2"}})";
  const auto strict = s.call("POST", std::string(kMaps) + "?fieldValidation=Strict", twice, "application/json");
  CHECK(strict.status == 400);
  CHECK(stringAt(s.object(strict), {"message"}) ==
        R"(strict decoding error: duplicate field "metadata.labels.x", duplicate field "data")");
  const auto warned = s.call("POST", kMaps, twice, "application/json");
  CHECK(warned.status == 201);
  CHECK(warned.headers.count("Warning") == 2);
  CHECK(warned.headers.find("Warning")->second == R"(299 - "duplicate field \"metadata.labels.x\"")");
  CHECK(stringAt(s.object(warned), {"data", "k"}) == "2");
  const auto ignored = s.call("PATCH", std::string(kMaps) + "/a?fieldValidation=Ignore",
                              R"({"data":{"k":"3"},"data":{"k":"4"}})", "application/merge-patch+json");
  CHECK(ignored.status == 200);
  CHECK(ignored.headers.count("Warning") == 0);
  const auto pods = s.call("POST", "/api/v1/namespaces/default/pods?fieldValidation=Strict",
                           R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i"},)"
                           R"({"name":"d","image":"i","image":"j"}]}})",
                           "application/json");
  CHECK(stringAt(s.object(pods), {"message"}) ==
        R"(strict decoding error: duplicate field "spec.containers[1].image")");
}

TEST_CASE("A field that cannot select is refused, not taken for empty") {
  TestServer s;
  const auto refused = s.call("GET", "/api/v1/pods?fieldSelector=spec.nope=1");
  CHECK(refused.status == 400);
  CHECK(stringAt(s.object(refused), {"message"}) == "field label not supported: spec.nope");
  CHECK(s.call("GET", "/api/v1/pods?fieldSelector=spec.nodeName=n,status.phase!=Failed").status == 200);
  CHECK(s.call("GET", std::string(kMaps) + "?fieldSelector=status.phase=x").status == 400);
}

TEST_CASE("An object whose stored shape is wrong does not hide the others of its kind") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("good"))).ok());
  REQUIRE(s.client->write(Write::create("services", service("good", R"({"ports":[{"port":80}]})"))).ok());
  int number = 0;
  for (const char* broken :
       {R"({"spec":"text","status":[1,2]})", R"({"spec":{"containers":{"a":1},"nodeName":7},"status":{"phase":{}}})",
        R"({"spec":{"containers":[null,5,{"name":[]}],"ports":7},"status":{"containerStatuses":"x","conditions":[3]}})",
        R"({})"}) {
    auto body = parsed(broken);
    const std::string name = "broken-" + std::to_string(number++);
    for (const char* resource : {"pods", "services"}) {
      body["metadata"] = json::object{{"name", name}, {"namespace", "default"}, {"uid", name}};
      REQUIRE(s.store->commit({{Mutation::Kind::put, {resource, "default", name}, body, 0}}).ok());
    }
  }
  for (const std::string resource : {"pods", "services"}) {
    const std::string path = "/api/v1/namespaces/default/" + resource;
    const auto items = arrayAt(s.object(s.call("GET", path)), {"items"}).size();
    CHECK(items >= 5);
    CHECK(arrayAt(s.object(s.call("GET", path, "", "", kTable)), {"rows"}).size() == items);
    CHECK(s.call("GET", path + "?fieldSelector=metadata.name=good").body.find("\"good\"") != std::string::npos);
    CHECK(s.call("GET", path + "?labelSelector=!a").status == 200);
    CHECK(s.call("GET", path + "?watch=1&timeoutSeconds=1").status == 200);
    for (int i = 0; i < number; ++i)
      CHECK(s.call("DELETE", path + "/broken-" + std::to_string(i), R"({"gracePeriodSeconds":0})", "application/json")
                .status < 300);
    CHECK(arrayAt(s.object(s.call("GET", path)), {"items"}).size() == items - static_cast<std::size_t>(number));
  }
}

TEST_CASE("A duration or number that cannot be one is refused with its field") {
  TestServer s;
  for (const char* query :
       {"timeoutSeconds=soon", "timeoutSeconds=-1", "timeoutSeconds=99999999999999999999", "resourceVersion=new"}) {
    INFO(query);
    const auto refused = s.call("GET", std::string(kMaps) + "?watch=1&" + query);
    CHECK(refused.status == 400);
  }
  CHECK(s.call("GET", std::string(kMaps) + "?limit=many").status == 400);
  const std::string apps = "/apis/steersman.dev/v1/namespaces/default/applications";
  for (const char* word : {"soon", "-5m", "5", "1h1", "99999999999999h"}) {
    INFO(word);
    const auto refused = s.call(
        "POST", apps,
        R"({"metadata":{"name":"a"},"spec":{"source":{"name":"r"},"healthTimeout":")" + std::string(word) + R"("}})",
        "application/json");
    CHECK(refused.status == 422);
    CHECK(refused.body.find("healthTimeout") != std::string::npos);
  }
}

TEST_CASE("Explain finds kinds by their paths, also of those that cannot be patched") {
  TestServer s;
  const auto document = s.object(s.call("GET", "/openapi/v3/api/v1"));
  for (const char* path :
       {"/api/v1/pods", "/api/v1/namespaces/{namespace}/pods", "/api/v1/namespaces/{namespace}/pods/{name}"})
    CHECK(stringAt(document, {"paths", path, "get", "x-kubernetes-group-version-kind", "kind"}) == "Pod");
  CHECK(find(document, {"components", "schemas", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"}) != nullptr);
}
