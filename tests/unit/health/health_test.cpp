#include "reconciler/health/health.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

Health assess(const std::string& text) { return assessHealth(*Object::make(parseJson(text).value().as_object())); }

std::string deployment(const std::string& spec, const std::string& status) {
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","generation":3},"spec":)" + spec +
         R"(,"status":)" + status + "}";
}

}  // namespace

TEST_CASE("a deployment is healthy when every replica is of the newest version and available") {
  const auto h = assess(deployment(
      R"({"replicas":3})", R"({"observedGeneration":3,"replicas":3,"updatedReplicas":3,"availableReplicas":3})"));
  CHECK(h.state == HealthState::healthy);
}

TEST_CASE("a deployment progresses while old or unavailable replicas remain, and says how many") {
  CHECK(assess(deployment(R"({"replicas":3})",
                          R"({"observedGeneration":2,"replicas":3,"updatedReplicas":3,"availableReplicas":3})"))
            .state == HealthState::progressing);
  CHECK(assess(deployment(R"({"replicas":3})",
                          R"({"observedGeneration":3,"replicas":4,"updatedReplicas":3,"availableReplicas":4})"))
            .reason == "1 replica of older versions remains");
  CHECK(assess(deployment(R"({"replicas":3})",
                          R"({"observedGeneration":3,"replicas":3,"updatedReplicas":3,"availableReplicas":2})"))
            .reason == "2 of 3 replicas are available");
}

TEST_CASE("a deployment past its progress deadline is degraded and carries the controller's words") {
  const auto h = assess(deployment(
      R"({"replicas":1})",
      R"({"observedGeneration":3,"replicas":1,"updatedReplicas":1,"conditions":[{"type":"Progressing","status":"False",
          "reason":"ProgressDeadlineExceeded","message":"ReplicaSet \"web-1\" has timed out progressing."}]})"));
  CHECK(h.state == HealthState::degraded);
  CHECK(h.reason == "ReplicaSet \"web-1\" has timed out progressing.");
}

TEST_CASE("a pod that cannot pull its image is degraded, one that waits is progressing") {
  CHECK(assess(R"({"kind":"Pod","apiVersion":"v1","status":{"phase":"Pending","containerStatuses":
      [{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}})")
            .reason == "container c: ImagePullBackOff");
  CHECK(assess(R"({"kind":"Pod","apiVersion":"v1","status":{"phase":"Pending"}})").state == HealthState::progressing);
  CHECK(assess(R"({"kind":"Pod","apiVersion":"v1","status":{"phase":"Running","conditions":
      [{"type":"Ready","status":"True"}]}})")
            .state == HealthState::healthy);
}

TEST_CASE("anything with conditions has a sensible default, and anything without is healthy") {
  CHECK(assess(R"({"kind":"X","apiVersion":"a/v1","status":{"conditions":[{"type":"Ready","status":"False",
      "message":"warming up"}]}})")
            .reason == "warming up");
  CHECK(
      assess(R"({"kind":"X","apiVersion":"a/v1","status":{"conditions":[{"type":"Failed","status":"True"}]}})").state ==
      HealthState::degraded);
  CHECK(assess(R"({"kind":"ConfigMap","apiVersion":"v1"})").state == HealthState::healthy);
  CHECK(assess(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}})")
            .state == HealthState::progressing);
}
