// Pods count their generations, and say why they were disrupted.
#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {

constexpr const char* kPod = "/api/v1/namespaces/default/pods/a";

std::int64_t generationOf(TestServer& s) { return (*s.client->get({"pods", "default", "a"}))->generation(); }

const json::object* conditionOf(const Object& pod, std::string_view type) {
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == type) return condition.if_object();
  return nullptr;
}

}  // namespace

TEST_CASE("A pod's generation is 1 at first, rises with its spec and with its deletion, and with nothing else") {
  TestServer s;
  auto body = pod("a");
  body["metadata"].as_object()["generation"] = 9;
  REQUIRE(s.client->write(Write::create("pods", body)).ok());
  CHECK(generationOf(s) == 1);
  REQUIRE(s.client->write(Write::bind("default", "a", "", "n")).ok());
  CHECK(generationOf(s) == 1);
  const auto scheduled = conditionOf(**s.client->get({"pods", "default", "a"}), "PodScheduled");
  REQUIRE(scheduled != nullptr);
  CHECK(intAt(*scheduled, {"observedGeneration"}) == 1);
  const auto patch = [&](const std::string& target, const std::string& text) {
    return s.call("PATCH", target, text, "application/strategic-merge-patch+json").status;
  };
  CHECK(patch(kPod, R"({"metadata":{"labels":{"x":"y"}}})") == 200);
  CHECK(patch(std::string(kPod) + "/status", R"({"status":{"phase":"Running"}})") == 200);
  CHECK(generationOf(s) == 1);
  CHECK(patch(kPod, R"({"spec":{"containers":[{"name":"c","image":"nginx:2"}]}})") == 200);
  CHECK(generationOf(s) == 2);
  CHECK(patch(kPod, R"({"metadata":{"generation":7}})") == 200);
  CHECK(generationOf(s) == 2);
  CHECK(s.call("DELETE", kPod).status == 200);
  CHECK(generationOf(s) == 3);
}

TEST_CASE("An evicted pod says that it was disrupted, and that by eviction") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  REQUIRE(s.client->write(Write::bind("default", "a", "", "n")).ok());
  const auto answer =
      s.call("POST", std::string(kPod) + "/eviction",
             R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"a","namespace":"default"}})",
             "application/json");
  CHECK(answer.status == 201);
  const auto live = s.client->get({"pods", "default", "a"});
  REQUIRE(live.ok());
  CHECK((*live)->deleting());
  const auto* condition = conditionOf(**live, "DisruptionTarget");
  REQUIRE(condition != nullptr);
  CHECK(stringAt(*condition, {"status"}) == "True");
  CHECK(stringAt(*condition, {"reason"}) == "EvictionByEvictionAPI");
  CHECK(stringAt(*condition, {"message"}) == "Eviction API: evicting");
}
