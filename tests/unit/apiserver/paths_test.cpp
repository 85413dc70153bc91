// What is not there, what is there for other methods, and what is there later.
#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {

std::string textOf(TestServer& s, const Response& answer, std::string_view field) {
  const auto status = s.object(answer);
  return std::string(stringAt(status, {field}));
}

std::string messageOf(TestServer& s, const Response& answer) { return textOf(s, answer, "message"); }

}  // namespace

TEST_CASE("An unknown group, version, resource or subresource is 404 for every verb") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  for (const auto* path :
       {"/apis/foo.example/v1/bars", "/apis/foo.example/v1/bars/x",
        "/apis/foo.example/v1/namespaces/default/bars/x/status", "/apis/apps/v9/deployments", "/api/v1/gadgets",
        "/api/v2/pods", "/api/v1/namespaces/default/gadgets/x", "/api/v1/namespaces/default/nodes",
        "/api/v1/namespaces/default/pods/a/nothing", "/apis/foo.example/v1", "/apis/foo.example", "/nothing"})
    for (const auto* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      // A path of discovery is no resource: only GET looks there.
      if (std::string(method) != "GET" &&
          (std::string(path).ends_with("/v1") || !std::string(path).starts_with("/api") ||
           std::string(path).ends_with(".example")))
        continue;
      INFO(method << " " << path);
      const auto answer = s.call(method, path, "{}", "application/json");
      CHECK(answer.status == 404);
      CHECK(textOf(s, answer, "reason") == "NotFound");
    }
}

TEST_CASE("Who may not ask for an unknown resource hears that, by the resource's name") {
  TestServer s;
  s.admin = Identity{"eve", {"system:authenticated"}};
  for (const auto* method : {"GET", "DELETE"}) {
    const auto answer = s.call(method, "/apis/foo.example/v1/bars");
    CHECK(answer.status == 403);
    CHECK(messageOf(s, answer).find("bars") != std::string::npos);
  }
}

TEST_CASE("Subresources that are only written to, or connected to, do not show the parent object") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  for (const auto* sub : {"pods/a/binding", "pods/a/eviction", "serviceaccounts/default/token"}) {
    INFO(sub);
    const auto answer = s.call("GET", "/api/v1/namespaces/default/" + std::string(sub));
    CHECK(answer.status == 405);
    CHECK(textOf(s, answer, "reason") == "MethodNotAllowed");
  }
  for (const auto* sub : {"exec", "attach", "portforward", "proxy", "proxy/index.html"})
    for (const auto* method : {"GET", "POST"}) {
      INFO(method << " " << sub);
      const auto answer = s.call(method, "/api/v1/namespaces/default/pods/a/" + std::string(sub) + "?command=ls");
      CHECK(answer.status == 501);
      CHECK(intAt(s.object(answer), {"code"}) == 501);
      CHECK(messageOf(s, answer).find("is not there yet") != std::string::npos);
    }
  CHECK(s.call("POST", "/api/v1/namespaces/default/pods/nobody/exec").status == 404);
  s.admin = Identity{"eve", {"system:authenticated"}};
  CHECK(s.call("POST", "/api/v1/namespaces/default/pods/a/exec").status == 403);
  CHECK(s.call("GET", "/api/v1/namespaces/default/pods/a/binding").status == 403);
}

TEST_CASE("A method that a resource does not know is 405") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  for (const auto& [method, path] :
       std::vector<std::pair<std::string, std::string>>{{"PUT", "/api/v1/namespaces/default/pods"},
                                                        {"PATCH", "/api/v1/namespaces/default/pods"},
                                                        {"POST", "/api/v1/namespaces/default/pods/a"},
                                                        {"DELETE", "/api/v1/namespaces/default/pods/a/status"},
                                                        {"POST", "/api/v1/namespaces/default/pods/a/status"},
                                                        {"POST", "/version"}}) {
    INFO(method << " " << path);
    CHECK(s.call(method, path, "{}", "application/json").status == 405);
  }
}

TEST_CASE("An absent field selects as false or zero") {
  TestServer s;
  for (const auto* text :
       {R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"open"}})",
        R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"said"},"spec":{"unschedulable":false}})",
        R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"shut"},"spec":{"unschedulable":true}})"})
    REQUIRE(s.client->write(Write::create("nodes", parsed(text))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  const auto names = [&](const std::string& target) {
    std::string out;
    const auto list = s.object(s.call("GET", target));
    for (const auto& item : arrayAt(list, {"items"})) out += std::string(stringAt(item, {"metadata", "name"})) + " ";
    return out;
  };
  CHECK(names("/api/v1/nodes?fieldSelector=spec.unschedulable=false") == "open said ");
  CHECK(names("/api/v1/nodes?fieldSelector=spec.unschedulable!=false") == "shut ");
  CHECK(names("/api/v1/nodes?fieldSelector=spec.unschedulable=true") == "shut ");
  CHECK(names("/api/v1/nodes?fieldSelector=spec.unschedulable=") == "");
  CHECK(names("/api/v1/nodes?fieldSelector=spec.unschedulable!=true,metadata.name!=said") == "open ");
  CHECK(names("/api/v1/pods?fieldSelector=spec.hostNetwork=false") == "a ");
  CHECK(names("/api/v1/pods?fieldSelector=status.podIP=,spec.nodeName=") == "a ");
  CHECK(names("/apis/batch/v1/jobs?fieldSelector=status.successful=0") == "");
}
