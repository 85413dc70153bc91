#include <catch2/catch.hpp>

#include "pod_case.h"

using namespace steer;
using namespace steer::podtest;
using Kind = PodAction::Kind;

namespace {
// Deleted at kStart with 30 seconds: the deletion time is the end of the grace period.
const char* kDeleted = R"({"deletionTimestamp":"2026-01-01T00:00:30Z","deletionGracePeriodSeconds":30})";
const char* kSpec =
    R"({"initContainers":[{"name":"s1","image":"img","restartPolicy":"Always"},{"name":"s2","image":"img","restartPolicy":"Always"}],"containers":[{"name":"a","image":"img"},{"name":"b","image":"img"}]})";
}  // namespace

TEST_CASE("a deleted pod stops its main containers together, with what is left of the grace period") {
  PodCase c(kSpec, kDeleted);
  c.sandbox();
  for (const auto* name : {"s1", "s2", "a", "b"}) c.container(name, ContainerPhase::running);
  c.now += seconds{10};
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 2);
  CHECK(d.actions[0].container == "a");
  CHECK(d.actions[1].container == "b");
  CHECK(d.actions[0].grace == seconds{20});
}

TEST_CASE("its sidecars stop afterwards, the last one first") {
  PodCase c(kSpec, kDeleted);
  c.sandbox();
  for (const auto* name : {"s1", "s2"}) c.container(name, ContainerPhase::running);
  for (const auto* name : {"a", "b"}) c.container(name, ContainerPhase::exited, 0, 143);
  auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].container == "s2");
  c.runtime.containers[1].phase = ContainerPhase::exited;
  d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].container == "s1");
}

TEST_CASE("then the sandbox stops, goes, everything is released and the object may go") {
  PodCase c(R"({"containers":[{"name":"a","image":"img"}]})", kDeleted);
  c.sandbox().container("a", ContainerPhase::exited, 0, 143);
  CHECK(c.decide().actions.at(0).kind == Kind::stopSandbox);
  c.runtime.sandboxes[0].ready = false;
  auto d = c.decide();
  CHECK(d.actions.at(0).kind == Kind::removeSandbox);
  CHECK(intAt(statusOf(d, "a"), {"state", "terminated", "exitCode"}) == 143);
  c.runtime = {};
  d = c.decide();
  CHECK(d.actions.at(0).kind == Kind::releaseEverything);
  CHECK_FALSE(d.finished);
  c.released = true;
  d = c.decide();
  CHECK(d.actions.empty());
  CHECK(d.finished);
  CHECK(intAt(statusOf(d, "a"), {"state", "terminated", "exitCode"}) == 143);
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
}

TEST_CASE("a pod deleted by force stops at once") {
  PodCase c(R"({"containers":[{"name":"a","image":"img"}]})",
            R"({"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":0})");
  c.sandbox().container("a", ContainerPhase::running);
  CHECK(c.decide().actions.at(0).grace == seconds{0});
}

TEST_CASE("a deleted pod that never ran asks for nothing but the release") {
  PodCase c(R"({"containers":[{"name":"a","image":"img"}]})", kDeleted);
  c.volumes.ready = false;
  const auto d = c.decide();
  REQUIRE(d.actions.size() == 1);
  CHECK(d.actions[0].kind == Kind::releaseEverything);
}

TEST_CASE("a container that ignores the request after the grace period is killed after the least grace") {
  PodCase c(R"({"containers":[{"name":"a","image":"img"}]})", kDeleted);
  c.sandbox().container("a", ContainerPhase::running);
  c.now += seconds{100};
  CHECK(c.decide().actions.at(0).grace == seconds{1});
}

TEST_CASE("a pod deleted while its containers are made ends as failed, whatever was there of them") {
  for (const bool created : {false, true}) {
    PodCase c(R"({"containers":[{"name":"a","image":"img"}]})", kDeleted);
    c.sandbox();
    if (created) c.container("a", ContainerPhase::created);
    CHECK(stringAt(c.decide().status, {"phase"}) == "Pending");  // its sandbox is still there
    c.runtime = {};
    c.released = true;
    const auto d = c.decide();
    CHECK(d.finished);
    CHECK(stringAt(d.status, {"phase"}) == "Failed");
    CHECK(stringAt(statusOf(d, "a"), {"state", "terminated", "reason"}) == "ContainerStatusUnknown");
    CHECK(intAt(statusOf(d, "a"), {"state", "terminated", "exitCode"}) == 137);
  }
}

TEST_CASE("a pod deleted while its init containers run ends as failed, its own containers never began") {
  PodCase c(R"({"initContainers":[{"name":"i","image":"img"}],"containers":[{"name":"a","image":"img"}]})", kDeleted);
  c.sandbox().container("i", ContainerPhase::exited, 0, 143);
  c.runtime.sandboxes[0].ready = false;
  const auto d = c.decide();
  CHECK(stringAt(d.status, {"phase"}) == "Failed");
  CHECK(stringAt(statusOf(d, "a"), {"state", "waiting", "reason"}) == "PodInitializing");
}

TEST_CASE("a deleted pod of which one container ended well and the other never began has failed") {
  PodCase c(R"({"restartPolicy":"Never","containers":[{"name":"a","image":"img"},{"name":"b","image":"img"}]})",
            kDeleted);
  c.sandbox(false).container("a", ContainerPhase::exited, 0, 0);
  CHECK(stringAt(c.decide().status, {"phase"}) == "Failed");
  PodCase well(R"({"restartPolicy":"Never","containers":[{"name":"a","image":"img"}]})", kDeleted);
  well.sandbox(false).container("a", ContainerPhase::exited, 0, 0);
  CHECK(stringAt(well.decide().status, {"phase"}) == "Succeeded");
}
