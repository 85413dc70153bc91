// What the annotations of a pod ask of a simulated node, and what it then does.
#include <catch2/catch.hpp>

#include "core/rfc3339.h"
#include "nodeagent/pod/sim_wishes.h"
#include "simulator/sim_pod.h"

using namespace steer;

namespace {

const Time kNow = *parseTime("2026-01-01T01:00:00Z");

ObjectPtr pod(json::object annotations, const std::string& spec = R"({"containers":[{"name":"c","image":"i"}]})") {
  return Object::make({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", {{"name", "p"}, {"namespace", "d"}, {"annotations", std::move(annotations)}}},
                       {"spec", json::parse(spec)}});
}

std::string waitingOf(const json::object& status, const char* list = "containerStatuses") {
  return std::string(stringAt(arrayAt(status, {list}).at(0), {"state", "waiting", "reason"}));
}

}  // namespace

TEST_CASE("a pod ends with the code and at the time that it asks for") {
  const auto p =
      pod({{"steersman.dev/sim-exit", "3@20"}}, R"({"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]})");
  auto life = SimPodLife::begin(*p, kNow);
  CHECK(life.advance(*p, {}, kNow) == kNow + seconds(20));
  CHECK(life.phase == SimPodLife::Phase::running);
  CHECK_FALSE(life.advance(*p, {}, kNow + seconds(20)));
  const auto status = life.status(*p, "", "");
  CHECK(stringAt(status, {"phase"}) == "Failed");
  CHECK(intAt(arrayAt(status, {"containerStatuses"}).at(0), {"state", "terminated", "exitCode"}) == 3);
}

TEST_CASE("a pod that is meant to run on crashes and is restarted ever later") {
  const auto p = pod({{"steersman.dev/sim-exit", "1@0.5"}});
  auto life = SimPodLife::begin(*p, kNow);
  life.advance(*p, {}, kNow + seconds(1));
  CHECK(life.phase == SimPodLife::Phase::crashed);
  CHECK(waitingOf(life.status(*p, "", "")) == "CrashLoopBackOff");
  life.advance(*p, {}, kNow + minutes(2));
  CHECK(life.restarts >= 2);
}

TEST_CASE("what ends by default runs on when it says never, and with its own time otherwise") {
  SimPodLife::Delays byDefault;
  byDefault.exit = seconds(1);
  const auto never = pod({{"steersman.dev/sim-exit", "never"}});
  CHECK_FALSE(SimPodLife::begin(*never, kNow).advance(*never, byDefault, kNow + minutes(60)));
  const auto plain = pod({});
  CHECK(SimPodLife::begin(*plain, kNow).advance(*plain, byDefault, kNow) == kNow + seconds(1));
  const auto own = pod({{"steersman.dev/sim-exit", "0@1m30s"}});
  CHECK(SimPodLife::begin(*own, kNow).advance(*own, byDefault, kNow) == kNow + seconds(90));
}

TEST_CASE("a ready pod becomes unready, and one that runs crashes, when its annotations come to ask for it") {
  auto p = pod({});
  auto life = SimPodLife::begin(*p, kNow);
  life.advance(*p, {}, kNow + seconds(100));
  REQUIRE(life.ready);
  p = pod({{"steersman.dev/sim-ready", "never"}});
  life.advance(*p, {}, kNow + seconds(101));
  CHECK_FALSE(life.ready);
  p = pod({{"steersman.dev/sim-exit", "9@5"}});
  life.askedAt = kNow + seconds(110);
  life.advance(*p, {}, kNow + seconds(110));
  CHECK(life.phase == SimPodLife::Phase::crashed);
  CHECK(life.finishedAt == kNow + seconds(110));
}

TEST_CASE("a slow pod shows what it waits for: its containers, or its init containers") {
  const auto slow = pod({{"steersman.dev/sim-start", "30"}});
  auto life = SimPodLife::begin(*slow, kNow);
  CHECK(life.advance(*slow, {}, kNow) == kNow + seconds(30));
  CHECK(waitingOf(life.status(*slow, "", "")) == "ContainerCreating");
  const auto init = pod({{"steersman.dev/sim-start", "30"}},
                        R"({"initContainers":[{"name":"i","image":"i"}],"containers":[{"name":"c","image":"i"}]})");
  auto other = SimPodLife::begin(*init, kNow);
  CHECK(waitingOf(other.status(*init, "", "")) == "PodInitializing");
  CHECK(waitingOf(other.status(*init, "", ""), "initContainerStatuses") == "PodInitializing");
  other.advance(*init, {}, kNow + seconds(31));
  const auto running = other.status(*init, "", "");
  CHECK(stringAt(arrayAt(running, {"initContainerStatuses"}).at(0), {"state", "terminated", "reason"}) == "Completed");
}

TEST_CASE("an image that cannot be pulled is pulled once the annotation is gone") {
  auto p = pod({{"steersman.dev/sim-pull", "fail"}});
  auto life = SimPodLife::begin(*p, kNow);
  life.advance(*p, {}, kNow);
  CHECK(waitingOf(life.status(*p, "", "")) == "ImagePullBackOff");
  p = pod({});
  life.advance(*p, {}, kNow + seconds(5));
  CHECK(life.phase == SimPodLife::Phase::running);
}

TEST_CASE("an annotation that cannot be read is said, and the pod does not run") {
  for (const auto* text : {"abc", "1", "1@", "@5", "300@1", "-1@1", "1@x", "1@5@6"}) {
    const auto p = pod({{"steersman.dev/sim-exit", text}});
    INFO(text);
    auto life = SimPodLife::begin(*p, kNow);
    CHECK_FALSE(life.advance(*p, {}, kNow + seconds(5)));
    const auto status = life.status(*p, "", "");
    CHECK(waitingOf(status) == "CreateContainerConfigError");
    CHECK(stringAt(arrayAt(status, {"containerStatuses"}).at(0), {"state", "waiting", "message"})
              .find("steersman.dev/sim-exit") != std::string_view::npos);
  }
  CHECK_FALSE(simWishesOf(*pod({{"steersman.dev/sim-ready", "soon"}})).mistake.empty());
  CHECK_FALSE(simWishesOf(*pod({{"steersman.dev/sim-pull", "yes"}})).mistake.empty());
  CHECK(simWishesOf(*pod({{"steersman.dev/sim-stop", "2.5"}})).stop == milliseconds(2500));
}
