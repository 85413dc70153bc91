#include <catch2/catch.hpp>

#include "pod_case.h"

using namespace steer;
using namespace steer::podtest;
using Kind = PodAction::Kind;

namespace {
const char* kOne = R"({"containers":[{"name":"a","image":"img"}]})";
const char* kNever = R"({"restartPolicy":"Never","containers":[{"name":"a","image":"img"}]})";
const char* kOnFailure = R"({"restartPolicy":"OnFailure","containers":[{"name":"a","image":"img"}]})";
const char* kInit =
    R"({"initContainers":[{"name":"i1","image":"img"},{"name":"i2","image":"img"}],"containers":[{"name":"a","image":"img"}]})";
const char* kSidecar =
    R"({"restartPolicy":"Never","initContainers":[{"name":"side","image":"img","restartPolicy":"Always"},{"name":"i","image":"img"}],"containers":[{"name":"a","image":"img"}]})";
}  // namespace

TEST_CASE("a new pod first gets its volumes, then a sandbox, then its image, then its container") {
  PodCase c(kOne);
  c.volumes.ready = false;
  auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::setUpVolumes);
  CHECK(stringAt(d.status, {"phase"}) == "Pending");
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "ContainerCreating");
  c.volumes.ready = true;
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::runSandbox);
  CHECK(d.actions[0].attempt == 0);
  c.sandbox();
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::pullImage);
  CHECK(d.actions[0].message == "img");
  CHECK(conditionOf(d, "PodReadyToStartContainers") == "True");
  c.facts["a"].imageReady = true;
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::startContainer);
  CHECK(d.actions[0].id == "s0");
}

TEST_CASE("a running pod is Running and Ready with its addresses and asks for nothing") {
  PodCase c(kOne);
  c.sandbox().container("a", ContainerPhase::running);
  const auto d = c.decide();
  CHECK(d.actions.empty());
  CHECK(stringAt(d.status, {"phase"}) == "Running");
  CHECK(conditionOf(d, "Ready") == "True");
  CHECK(stringAt(d.status, {"podIP"}) == "10.1.0.5");
  CHECK(stringAt(d.status, {"hostIP"}) == "172.31.0.1");
  CHECK(stringAt(statusOf(d, "a"), {"containerID"}) == "containerd://a-0");
  CHECK(stringAt(d.status, {"qosClass"}) == "BestEffort");
}

TEST_CASE("the first crash restarts at once, the next waits 10 s, then 20 s") {
  PodCase c(kOne);
  c.facts["a"].imageReady = true;
  c.sandbox().container("a", ContainerPhase::exited, 0, 1);
  auto d = c.decide();
  const auto* start = actionOf(d, Kind::startContainer);
  REQUIRE(start);
  CHECK(start->attempt == 1);
  CHECK(start->restartDelay == seconds{10});

  c.container("a", ContainerPhase::exited, 1, 1).annotations[kRestartDelayAnnotation] = "10";
  d = c.decide();
  CHECK_FALSE(actionOf(d, Kind::startContainer));
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "CrashLoopBackOff");
  CHECK(intAt(statusOf(d, "a"), {"lastState", "terminated", "exitCode"}) == 1);
  CHECK(intAt(statusOf(d, "a"), {"restartCount"}) == 1);
  CHECK(stringAt(d.status, {"phase"}) == "Running");
  CHECK(d.recheck == kStart + seconds{10});
  REQUIRE(d.events.size() == 1);
  CHECK(d.events[0].reason == "BackOff");

  c.now += seconds{10};
  d = c.decide();
  start = actionOf(d, Kind::startContainer);
  REQUIRE(start);
  CHECK(start->attempt == 2);
  CHECK(start->restartDelay == seconds{20});
}

TEST_CASE("ten minutes of running forget the back-off") {
  PodCase c(kOne);
  c.facts["a"].imageReady = true;
  auto& a = c.sandbox().container("a", ContainerPhase::exited, 5, 1);
  a.annotations[kRestartDelayAnnotation] = "300";
  a.startedAt = c.now - minutes{11};
  const auto d = c.decide();
  const auto* start = actionOf(d, Kind::startContainer);
  REQUIRE(start);
  CHECK(start->restartDelay == seconds{10});
}

TEST_CASE("a container that ended well is not restarted under OnFailure, and the pod succeeds") {
  PodCase c(kOnFailure);
  c.sandbox().container("a", ContainerPhase::exited, 0, 0);
  const auto d = c.decide();
  CHECK_FALSE(actionOf(d, Kind::startContainer));
  CHECK(actionOf(d, Kind::stopSandbox));
  CHECK(stringAt(d.status, {"phase"}) == "Succeeded");
  CHECK(conditionOf(d, "Ready") == "False");
  CHECK(stringAt(statusOf(d, "a"), {"state", "terminated", "reason"}) == "Completed");
}

TEST_CASE("a failed container is restarted under OnFailure and ends the pod under Never") {
  PodCase retry(kOnFailure);
  retry.facts["a"].imageReady = true;
  retry.sandbox().container("a", ContainerPhase::exited, 0, 3);
  auto d = retry.decide();
  CHECK(actionOf(d, Kind::startContainer));
  CHECK(stringAt(d.status, {"phase"}) == "Running");

  PodCase never(kNever);
  never.sandbox().container("a", ContainerPhase::exited, 0, 3);
  d = never.decide();
  CHECK_FALSE(actionOf(d, Kind::startContainer));
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
}

TEST_CASE("an ended pod stays ended although its containers are gone") {
  PodCase c(kNever);
  c.sandbox().container("a", ContainerPhase::exited, 0, 0);
  CHECK(stringAt(c.decide().status, {"phase"}) == "Succeeded");
  c.runtime = {};
  const auto d = c.decide();
  CHECK_FALSE(actionOf(d, Kind::runSandbox));
  CHECK(stringAt(d.status, {"phase"}) == "Succeeded");
  CHECK(stringAt(statusOf(d, "a"), {"state", "terminated", "reason"}) == "Completed");
}

TEST_CASE("out of memory is reported with its reason and exit code") {
  PodCase c(kNever);
  c.sandbox().container("a", ContainerPhase::exited, 0, 137).reason = "OOMKilled";
  const auto d = c.decide();
  CHECK(stringAt(statusOf(d, "a"), {"state", "terminated", "reason"}) == "OOMKilled");
  CHECK(intAt(statusOf(d, "a"), {"state", "terminated", "exitCode"}) == 137);
}

TEST_CASE("init containers run one after the other before the main ones") {
  PodCase c(kInit);
  for (const auto* n : {"i1", "i2", "a"}) c.facts[n].imageReady = true;
  c.sandbox();
  auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].container == "i1");
  CHECK(conditionOf(d, "Initialized") == "False");
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "PodInitializing");
  c.container("i1", ContainerPhase::running);
  CHECK(c.decide().actions.empty());
  c.runtime.containers[0].phase = ContainerPhase::exited;
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].container == "i2");
  c.container("i2", ContainerPhase::exited);
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].container == "a");
  CHECK(conditionOf(d, "Initialized") == "True");
  CHECK(boolAt(statusOf(d, "i1", "initContainerStatuses"), {"ready"}));
}

TEST_CASE("a failing init container is retried, and fails the pod under Never") {
  PodCase c(kInit);
  c.facts["i1"].imageReady = true;
  c.sandbox().container("i1", ContainerPhase::exited, 0, 1);
  CHECK(actionOf(c.decide(), Kind::startContainer, "i1"));

  PodCase never(
      R"({"restartPolicy":"Never","initContainers":[{"name":"i1","image":"img"}],"containers":[{"name":"a","image":"img"}]})");
  never.sandbox().container("i1", ContainerPhase::exited, 0, 1);
  const auto d = never.decide();
  CHECK_FALSE(actionOf(d, Kind::startContainer));
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
}

TEST_CASE("a sidecar starts before the next init container and ends after the main ones") {
  PodCase c(kSidecar);
  for (const auto* n : {"side", "i", "a"}) c.facts[n].imageReady = true;
  c.sandbox();
  CHECK(c.decide().actions.at(0).container == "side");
  c.container("side", ContainerPhase::running);
  CHECK(c.decide().actions.at(0).container == "i");
  c.container("i", ContainerPhase::exited);
  CHECK(c.decide().actions.at(0).container == "a");
  c.container("a", ContainerPhase::exited, 0, 0);
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::stopContainer);
  CHECK(d.actions[0].container == "side");
  CHECK(stringAt(d.status, {"phase"}) == "Succeeded");
}

TEST_CASE("a sidecar that crashes is restarted although the policy is Never") {
  PodCase c(kSidecar);
  c.facts["side"].imageReady = true;
  c.sandbox().container("side", ContainerPhase::exited, 0, 1);
  c.container("i", ContainerPhase::exited);
  c.container("a", ContainerPhase::running);
  const auto d = c.decide();
  CHECK(actionOf(d, Kind::startContainer, "side"));
  CHECK(stringAt(d.status, {"phase"}) == "Running");
}

TEST_CASE("a failed pull shows ErrImagePull, then ImagePullBackOff, and is tried again after the back-off") {
  PodCase c(kOne);
  c.sandbox();
  c.facts["a"].setback = Setback{"ErrImagePull", "not found", c.now, 2};
  auto d = c.decide();
  CHECK(d.actions.empty());
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "ErrImagePull");
  c.now += seconds{4};
  d = c.decide();
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "ImagePullBackOff");
  CHECK(d.events.at(0).reason == "BackOff");
  CHECK(d.recheck == kStart + seconds{20});
  CHECK(stringAt(d.status, {"phase"}) == "Pending");
  c.now = kStart + seconds{20};
  CHECK(actionOf(c.decide(), Kind::pullImage));
}

TEST_CASE("a configuration error is shown and retried") {
  PodCase c(kOne);
  c.sandbox();
  c.facts["a"].imageReady = true;
  c.facts["a"].setback = Setback{"CreateContainerConfigError", "configmap \"x\" not found", c.now, 1};
  auto d = c.decide();
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "CreateContainerConfigError");
  c.now = *d.recheck;
  CHECK(actionOf(c.decide(), Kind::startContainer));
}

TEST_CASE("a lost sandbox is replaced under the next attempt after its containers stopped") {
  PodCase c(kOne);
  c.facts["a"].imageReady = true;
  c.sandbox(false).container("a", ContainerPhase::running);
  auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::stopContainer);
  c.runtime.containers[0].phase = ContainerPhase::exited;
  d = c.decide();
  REQUIRE(d.actions.size() == 2);
  CHECK(d.actions[0].kind == Kind::stopSandbox);
  CHECK(d.actions[1].kind == Kind::runSandbox);
  CHECK(d.actions[1].attempt == 1);
  c.sandbox(true, 1);
  d = c.decide();
  const auto* start = actionOf(d, Kind::startContainer);
  REQUIRE(start);
  CHECK(start->id == "s1");
  CHECK(start->attempt == 1);
}

TEST_CASE("a pod that may not restart fails when its sandbox and container are lost") {
  PodCase c(kNever);
  c.sandbox().container("a", ContainerPhase::running);
  c.decide();
  c.runtime = {};
  const auto d = c.decide();
  CHECK_FALSE(actionOf(d, Kind::runSandbox));
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
  CHECK(stringAt(statusOf(d, "a"), {"state", "terminated", "reason"}) == "ContainerStatusUnknown");
}

TEST_CASE("a container that was made but never started is made anew under the same number") {
  PodCase c(kOne);
  c.facts["a"].imageReady = true;
  c.sandbox().container("a", ContainerPhase::created);
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 2);
  CHECK(d.actions[0].kind == Kind::removeContainer);
  CHECK(d.actions[1].kind == Kind::startContainer);
  CHECK(d.actions[1].attempt == 0);
  c.runtime.containers.clear();
  CHECK(c.decide().actions.at(0).attempt == 0);
}

TEST_CASE("a failed liveness probe stops the container, of which only the probed one") {
  PodCase c(kOne);
  c.sandbox().container("a", ContainerPhase::running, 3);
  c.facts["a"].livenessFailed = "Container a failed liveness probe, will be restarted";
  c.facts["a"].probedId = "a-2";
  CHECK(c.decide().actions.empty());
  c.facts["a"].probedId = "a-3";
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::stopContainer);
}

TEST_CASE("a startup probe gates readiness and the containers that follow a sidecar") {
  PodCase c(
      R"({"initContainers":[{"name":"s","image":"img","restartPolicy":"Always","startupProbe":{}}],"containers":[{"name":"a","image":"img","readinessProbe":{}}]})");
  c.facts["a"].imageReady = true;
  c.sandbox().container("s", ContainerPhase::running);
  CHECK(c.decide().actions.empty());
  c.facts["s"].probedId = "s-0";
  c.facts["s"].startupPassed = true;
  CHECK(actionOf(c.decide(), Kind::startContainer, "a"));
  c.container("a", ContainerPhase::running);
  auto d = c.decide();
  CHECK(conditionOf(d, "Ready") == "False");
  c.facts["a"].probedId = "a-0";
  c.facts["a"].ready = true;
  d = c.decide();
  CHECK(conditionOf(d, "Ready") == "True");
  SECTION("and a restarted agent, which has probed nothing, keeps what was ready") {
    c.facts.clear();
    CHECK(conditionOf(c.decide(), "Ready") == "True");
  }
}

TEST_CASE("readiness gates hold the pod back until their condition is true") {
  const char* spec =
      R"({"readinessGates":[{"conditionType":"example.com/lb"}],"containers":[{"name":"a","image":"img"}]})";
  PodCase c(spec);
  c.sandbox().container("a", ContainerPhase::running);
  const auto d = c.decide();
  CHECK(conditionOf(d, "ContainersReady") == "True");
  CHECK(conditionOf(d, "Ready") == "False");
  auto body = c.pod->json();
  body["status"] = json::parse(R"({"conditions":[{"type":"example.com/lb","status":"True"}]})");
  c.pod = Object::make(std::move(body));
  CHECK(conditionOf(c.decide(), "Ready") == "True");
}

TEST_CASE("a pod past its active deadline fails and is stopped") {
  PodCase c(R"({"activeDeadlineSeconds":60,"containers":[{"name":"a","image":"img"}]})");
  c.sandbox().container("a", ContainerPhase::running);
  auto d = c.decide();
  CHECK(d.recheck == kStart + seconds{60});
  c.now += seconds{60};
  d = c.decide();
  CHECK(actionOf(d, Kind::stopContainer, "a"));
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
  CHECK(stringAt(d.status, {"reason"}) == "DeadlineExceeded");
}

TEST_CASE("a condition keeps its transition time while its status stays") {
  PodCase c(kOne);
  c.sandbox().container("a", ContainerPhase::running);
  const auto first = c.decide();
  c.now += seconds{5};
  CHECK(c.decide().status == first.status);
}

TEST_CASE("a changed image restarts the container") {
  PodCase c(kOne);
  c.sandbox().container("a", ContainerPhase::running).image = "old";
  CHECK(actionOf(c.decide(), Kind::stopContainer, "a"));
}

TEST_CASE("of a crashing container the two newest attempts stay") {
  PodCase c(kOne);
  c.sandbox().container("a", ContainerPhase::exited, 0, 1);
  c.container("a", ContainerPhase::exited, 1, 1);
  c.container("a", ContainerPhase::running, 2);
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::removeContainer);
  CHECK(d.actions[0].id == "a-0");
  CHECK(intAt(statusOf(d, "a"), {"restartCount"}) == 2);
}

TEST_CASE("containers that were never started wait for their init containers, or to be created") {
  PodCase plain(R"({"containers":[{"name":"a","image":"img"}]})");
  plain.volumes.ready = false;
  CHECK(stringAt(statusOf(plain.decide(), "a"), {"state", "waiting", "reason"}) == "ContainerCreating");
  for (const auto* policy : {"", R"(,"restartPolicy":"Always")"}) {
    PodCase c(R"({"initContainers":[{"name":"i","image":"img")" + std::string(policy) +
              R"(}],"containers":[{"name":"a","image":"img"}]})");
    c.volumes.ready = false;
    for (int step = 0; step < 2; ++step) {
      const auto d = c.decide();
      CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "PodInitializing");
      CHECK(stringAt(arrayAt(d.status, {"initContainerStatuses"}).at(0), {"state", "waiting", "reason"}) ==
            "PodInitializing");
      c.volumes.ready = true;
      c.sandbox();
    }
  }
}
