#include <catch2/catch.hpp>

#include "reconciler/health/health.h"
#include "reconciler/health/rules.h"
#include "schemas/schema.h"

using namespace steer;

namespace {

/// "state: reason" of an object of this kind with these members.
std::string says(const std::string& apiVersion, const std::string& kind, const std::string& members,
                 int generation = 0) {
  const auto text = R"({"apiVersion":")" + apiVersion + R"(","kind":")" + kind + R"(","metadata":{"name":"x")" +
                    (generation == 0 ? "" : R"(,"generation":)" + std::to_string(generation)) + "}," + members + "}";
  const auto health = assessHealth(*Object::make(parseJson(text).value().as_object()));
  return std::string(healthName(health.state)) + (health.reason.empty() ? "" : ": " + health.reason);
}

std::string condition(const std::string& type, const std::string& status, const std::string& more = "") {
  return R"({"type":")" + type + R"(","status":")" + status + "\"" + more + "}";
}

std::string conditions(const std::string& all) { return R"("status":{"conditions":[)" + all + "]}"; }

}  // namespace

TEST_CASE("a job is healthy when it is complete, degraded as soon as it is bound to fail") {
  CHECK(says("batch/v1", "Job", conditions(condition("Complete", "True"))) == "healthy: completed");
  CHECK(says("batch/v1", "Job",
             conditions(
                 condition("FailureTarget", "True", R"(,"message":"Job has reached the specified backoff limit")"))) ==
        "degraded: Job has reached the specified backoff limit");
  CHECK(says("batch/v1", "Job", conditions(condition("Failed", "True", R"(,"reason":"DeadlineExceeded")"))) ==
        "degraded: DeadlineExceeded");
  CHECK(says("batch/v1", "Job", R"("spec":{"completions":3},"status":{"succeeded":1,"failed":1})") ==
        "progressing: running, 1 of 3 completions, 1 failed pod");
  CHECK(says("batch/v1", "Job", R"("spec":{"suspend":true},"status":{})") == "healthy: suspended");
}

TEST_CASE("a pod says which container keeps it from serving, and how that one ended") {
  const auto status = [](const std::string& more) { return R"("status":{"phase":"Running",)" + more + "}"; };
  CHECK(
      says("v1", "Pod", status(R"("containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CrashLoopBackOff"}},
                       "lastState":{"terminated":{"exitCode":3,"reason":"Error"}}}])")) ==
      "degraded: container web: CrashLoopBackOff, it ended with exit code 3");
  CHECK(
      says("v1", "Pod", status(R"("containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CrashLoopBackOff"}},
                       "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}])")) ==
      "degraded: container web: CrashLoopBackOff, it ended with exit code 137 (OOMKilled)");
  CHECK(says("v1", "Pod", R"("status":{"phase":"Failed","containerStatuses":[{"name":"c",
             "state":{"terminated":{"exitCode":1}}}]})") == "degraded: failed: container c ended with exit code 1");
  CHECK(says("v1", "Pod", R"("status":{"phase":"Failed","reason":"Evicted"})") == "degraded: failed: Evicted");
  CHECK(says("v1", "Pod", R"("status":{"phase":"Succeeded"})") == "healthy: completed");
  CHECK(says("v1", "Pod",
             R"("status":{"phase":"Pending","conditions":[)" +
                 condition("PodScheduled", "False", R"(,"message":"0/3 nodes are available: 3 Insufficient memory.")") +
                 "]}") == "progressing: not scheduled: 0/3 nodes are available: 3 Insufficient memory.");
  CHECK(says("v1", "Pod", status(R"("conditions":[])")) == "progressing: running, but not ready yet");
}

TEST_CASE("a replica set counts what is available, and what is too much") {
  const auto set = [](const std::string& status) {
    return says("apps/v1", "ReplicaSet", R"("spec":{"replicas":1},"status":{"observedGeneration":1,)" + status + "}",
                1);
  };
  CHECK(set(R"("replicas":1,"availableReplicas":1)") == "healthy");
  CHECK(set(R"("replicas":1)") == "progressing: 0 of 1 replica is available");
  CHECK(set(R"("replicas":2,"availableReplicas":2)") == "progressing: 1 surplus replica is being removed");
  CHECK(set(R"("conditions":[{"type":"ReplicaFailure","status":"True","message":"exceeded quota"}])") ==
        "degraded: exceeded quota");
  CHECK(says("v1", "ReplicationController", R"("spec":{"replicas":2},"status":{"replicas":2})", 1) ==
        "progressing: the controller has not seen the newest specification yet");
}

TEST_CASE("a paused deployment is healthy, one that may not create pods is degraded") {
  CHECK(says("apps/v1", "Deployment", R"("spec":{"paused":true},"status":{})", 4) == "healthy: paused");
  CHECK(says("apps/v1", "Deployment",
             R"("spec":{"replicas":1},"status":{"observedGeneration":4,"conditions":[{"type":"ReplicaFailure",
                "status":"True","message":"pods \"x\" is forbidden"}]})",
             4) == "degraded: pods \"x\" is forbidden");
}

TEST_CASE("a service waits for its load balancer, a claim for its volume, a namespace for its end") {
  CHECK(says("v1", "Service", R"("spec":{"type":"ClusterIP"})") == "healthy");
  CHECK(says("v1", "Service", R"("spec":{"type":"LoadBalancer"},"status":{"loadBalancer":{}})")
            .starts_with("degraded: no load balancer is there"));
  CHECK(says("v1", "Service", R"("spec":{"type":"LoadBalancer","loadBalancerClass":"example.org/lb"})") ==
        "progressing: waiting for an address of the load balancer example.org/lb");
  CHECK(
      assessHealth(*Object::make({{"apiVersion", "v1"},
                                  {"kind", "Service"},
                                  {"metadata", {{"name", "x"}, {"annotations", {{"steersman.dev/health", "ignore"}}}}},
                                  {"spec", {{"type", "LoadBalancer"}}}}))
          .state == HealthState::healthy);
  const auto claim = [](const char* phase) {
    return health::ofClaim(*Object::make({{"kind", "PersistentVolumeClaim"}, {"status", {{"phase", phase}}}})).reason;
  };
  CHECK(claim("Pending") == "not bound to a volume yet");
  CHECK(claim("Lost") == "its volume is lost");
  CHECK(says("v1", "Namespace", R"("status":{"phase":"Terminating"})") == "progressing: is being deleted");
}

TEST_CASE("an application is healthy when it is synced and its objects are") {
  const auto app = [](const std::string& status) {
    return says("steersman.dev/v1", "Application", R"("status":)" + status);
  };
  CHECK(app(R"({"phase":"Synced","health":"healthy"})") == "healthy");
  CHECK(app(R"({"phase":"Synced","health":"degraded"})") == "degraded: not all of its objects are healthy");
  CHECK(app(R"({"phase":"Failed","message":"web.yaml:3: unknown field"})") == "degraded: web.yaml:3: unknown field");
  CHECK(app("{}") == "progressing: its commit is not applied yet");
}

TEST_CASE("a kind without a rule is judged by the conditions that most kinds write") {
  const auto any = [](const std::string& members) { return says("example.org/v1", "Widget", members, 2); };
  CHECK(any(R"("status":{"observedGeneration":1})") == "progressing: the newest specification has not been seen yet");
  CHECK(any(conditions(condition("Stalled", "True", R"(,"message":"no such bucket")"))) == "degraded: no such bucket");
  CHECK(any(conditions(condition("Ready", "True") + "," + condition("Reconciling", "True"))) ==
        "progressing: is being reconciled");
  CHECK(any(conditions(condition("Ready", "False", R"(,"reason":"Waiting")"))) == "progressing: Waiting");
  CHECK(any(conditions(condition("Available", "True"))) == "healthy");
  CHECK(any(conditions(condition("Ready", "True", R"(,"observedGeneration":1)"))) ==
        "progressing: the newest specification has not been seen yet");
  CHECK(any(conditions(condition("Progressing", "True", R"(,"message":"3 of 5")"))) == "progressing: 3 of 5");
  CHECK(any(conditions(condition("Progressing", "True") + "," + condition("Available", "True"))) == "healthy");
  CHECK(any(R"("spec":{})") == "healthy");
}

TEST_CASE("an object of a kind that nothing serves never becomes healthy") {
  const auto* kind = SchemaRegistry::builtin().find({"policy", "v1", "PodDisruptionBudget"});
  REQUIRE(kind != nullptr);
  if (kind->served) return;  // the list of what is not served has its own test
  CHECK(says("policy/v1", "PodDisruptionBudget", conditions(condition("Ready", "True")))
            .starts_with("degraded: PodDisruptionBudget (policy/v1) is not served yet"));
}
