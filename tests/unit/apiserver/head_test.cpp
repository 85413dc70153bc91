// What is decided of a request before its body is read.
#include <catch2/catch.hpp>

#include "cluster/apiserver/head_rules.h"
#include "fixture.h"

using namespace steer;

namespace {

const Identity kNobody{std::string(kAnonymousUser), {"system:unauthenticated"}};
const Identity kAlice{"alice", {"system:authenticated"}};

HeadVerdict judged(TestServer& server, const Identity& who, const std::string& method, const std::string& path,
                   std::multimap<std::string, std::string> headers = {}) {
  Request head;
  head.method = method;
  head.path = path;
  head.headers = std::move(headers);
  head.identity = who;
  return server.api.judge(head);
}

int refusalOf(TestServer& server, const Identity& who, const std::string& method, const std::string& path,
              std::multimap<std::string, std::string> headers = {}) {
  const auto verdict = judged(server, who, method, path, std::move(headers));
  return verdict.refusal ? verdict.refusal->status : 0;
}

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

}  // namespace

TEST_CASE("those who may not write are refused by the head, whatever they would send") {
  TestServer server;
  for (const std::string method : {"POST", "DELETE"}) {
    CHECK(refusalOf(server, kNobody, method, kMaps) == 403);
    CHECK(refusalOf(server, kAlice, method, kMaps) == 403);
    CHECK(refusalOf(server, server.admin, method, kMaps) == 0);
  }
  for (const std::string method : {"PUT", "PATCH", "DELETE"}) {
    const auto one = std::string(kMaps) + "/a";
    CHECK(refusalOf(server, kNobody, method, one) == 403);
    CHECK(refusalOf(server, kAlice, method, one) == 403);
    CHECK(refusalOf(server, server.admin, method, one) == 0);
  }
  CHECK(refusalOf(server, kNobody, "POST", "/nothing") == 403);
  CHECK(refusalOf(server, kAlice, "POST", "/nothing") == 403);
  CHECK(refusalOf(server, kAlice, "POST", "/api/v1/namespaces/default/pods/p/binding") == 403);
}

TEST_CASE("a body of one object is small, one of many objects may be large for those whom a role lets") {
  TestServer server;
  CHECK(judged(server, server.admin, "POST", kMaps).bodyBytes == kBodyBytes);
  for (const std::string path : {"/apis/steersman.dev/v1/batch", "/apis/steersman.dev/v1/observation"}) {
    CHECK(judged(server, server.admin, "POST", path).bodyBytes == kBatchBytes);
    CHECK(judged(server, kAlice, "POST", path).bodyBytes == kBodyBytes);
    CHECK(!judged(server, kAlice, "POST", path).refusal);
    CHECK(refusalOf(server, kNobody, "POST", path) == 403);
  }
}

TEST_CASE("a request that only reads brings no body") {
  TestServer server;
  for (const std::string method : {"GET", "HEAD"})
    for (const auto& who : {kNobody, server.admin}) {
      CHECK(!judged(server, who, method, kMaps).refusal);
      CHECK(judged(server, who, method, kMaps).bodyBytes == 0);
    }
}

TEST_CASE("who acts as somebody else is judged as them, and refused when they may not") {
  TestServer server;
  CHECK(refusalOf(server, server.admin, "POST", kMaps, {{"impersonate-user", "alice"}}) == 403);
  CHECK(refusalOf(server, kAlice, "POST", kMaps, {{"impersonate-user", "root"}}) == 403);
}

TEST_CASE("a node's own name in a body is judged with the body, and an unserved path as the resource that it names") {
  TestServer server;
  const Identity node{"system:node:n", {"system:nodes", "system:authenticated"}};
  CHECK(refusalOf(server, node, "POST", "/api/v1/nodes") == 0);
  CHECK(refusalOf(server, node, "POST", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases") == 0);
  CHECK(refusalOf(server, node, "PUT", "/api/v1/nodes/other") == 403);
  auto verdict = judged(server, kAlice, "POST", "/apis/foo.example/v1/bars");
  REQUIRE(verdict.refusal);
  CHECK(verdict.refusal->status == 403);
  CHECK(verdict.refusal->body.find("bars") != std::string::npos);
}
