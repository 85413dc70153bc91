// The agent on a simulated runtime, in virtual time.
#include <catch2/catch.hpp>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "core/random.h"
#include "nodeagent/agent/agent.h"
#include "nodeagent/runtime/sim_runtime.h"
#include "tests/fault/injection.h"

using namespace steer;

namespace {

struct SimNode {
  ManualClock clock;
  Random random{7};
  std::unique_ptr<Store> store;
  std::unique_ptr<ApiServer> server;
  std::unique_ptr<Client> client;
  std::unique_ptr<PodRuntime> runtime = makeSimRuntime({"10.244.3.0/24"}, clock);
  InlineExecutor executor;
  std::unique_ptr<Agent> agent;

  SimNode() {
    StoreOptions inlined;
    inlined.inlineCommit = true;
    store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), inlined));
    server = std::make_unique<ApiServer>(*store, clock, random, ApiServerOptions{});
    client = makeInProcessClient(*server, systemIdentity());
    start();
  }
  void start() {
    AgentOptions options;
    options.nodeName = "n1";
    options.address = "192.0.2.1";
    options.simulated = true;
    agent = std::make_unique<Agent>(options, *client, *runtime, executor, clock);
  }
  void run(Duration time) {
    const Time end = clock.now() + time;
    for (int i = 0; i < 100'000; ++i) {
      const auto next = agent->step(clock.now());
      if (next.at && *next.at <= clock.now()) continue;
      if (clock.now() >= end) return;
      clock.advanceTo(next.at ? std::min(*next.at, end) : end);
    }
    FAIL("the agent never rests");
  }
  void make(const std::string& name, const char* annotations, const char* image = "app:1") {
    const auto made = client->write(Write::create(
        "pods", {{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"metadata",
                  json::object{{"name", name}, {"namespace", "default"}, {"annotations", json::parse(annotations)}}},
                 {"spec", json::object{{"nodeName", "n1"},
                                       {"containers", json::array{json::object{{"name", "c"}, {"image", image}}}}}}}));
    if (!made.ok()) FAIL(made.error().message);
  }
  std::string phase(const std::string& name) {
    const auto pod = client->get({"pods", "default", name});
    return pod.ok() ? std::string(stringAt((*pod)->status(), {"phase"})) : "";
  }
};

}  // namespace

TEST_CASE("a simulated node registers, keeps its lease and runs pods after their delay") {
  SimNode n;
  n.run(seconds(1));
  CHECK(n.agent->ready());
  n.make("slow", R"({"steersman.dev/sim-start":"5"})");
  n.run(seconds(4));
  CHECK(n.phase("slow") == "Pending");
  n.run(seconds(2));
  CHECK(n.phase("slow") == "Running");
  n.run(minutes(2));
  const auto lease = n.client->get({"leases.coordination.k8s.io", "kube-node-lease", "n1"});
  REQUIRE(lease.ok());
  CHECK(stringAt((*lease)->spec(), {"renewTime"}) >= "2026-01-01T00:01:5");
}

TEST_CASE("a simulated crash loop counts its restarts by the back-off") {
  SimNode n;
  n.make("crash", R"({"steersman.dev/sim-exit":"1@1"})");
  n.run(seconds(60));
  const auto pod = n.client->get({"pods", "default", "crash"});
  // Runs at 0, 1, 12, 33 s: at once, then after 10, then after 20 seconds; the next one would be at 74 s.
  CHECK(intAt(arrayAt((*pod)->status(), {"containerStatuses"}).front(), {"restartCount"}) == 3);
  SECTION("also when the agent restarts in between") {
    n.agent.reset();
    n.start();
    n.run(seconds(10));
    const auto later = n.client->get({"pods", "default", "crash"});
    CHECK(intAt(arrayAt((*later)->status(), {"containerStatuses"}).front(), {"restartCount"}) == 3);
  }
}

TEST_CASE("an image that cannot be pulled backs off, and a deleted pod goes away") {
  SimNode n;
  n.make("lost", "{}", "missing:1");
  n.run(seconds(5));
  const auto pod = n.client->get({"pods", "default", "lost"});
  CHECK(stringAt(arrayAt((*pod)->status(), {"containerStatuses"}).front(), {"state", "waiting", "reason"}) ==
        "ImagePullBackOff");
  REQUIRE(n.client->write(Write::remove({"pods", "default", "lost"})).ok());
  n.run(seconds(5));
  CHECK_FALSE(n.client->get({"pods", "default", "lost"}).ok());
  CHECK(n.runtime->list()->empty());
}

TEST_CASE("a fault in any duty of the agent holds up that duty alone, and a condition of the node names it") {
  SimNode n;
  n.run(seconds(1));
  n.make("web", "{}");
  n.run(seconds(5));
  REQUIRE(n.phase("web") == "Running");
  const auto told = [&n] {
    const auto node = n.client->get({"nodes", "", "n1"});
    for (const auto& condition : arrayAt((*node)->status(), {"conditions"}))
      if (stringAt(condition, {"type"}) == "Faultless")
        return std::string(stringAt(condition, {"status"})) + " " + std::string(stringAt(condition, {"message"}));
    return std::string();
  };
  const auto renewed = [&n] {
    const auto lease = n.client->get({"leases.coordination.k8s.io", "kube-node-lease", "n1"});
    return std::string(stringAt((*lease)->spec(), {"renewTime"}));
  };
  int made = 0;
  for (const std::string place : {"the agent's look at the runtime", "the agent's pods", "the agent's pod ",
                                  "the agent's reports of pods", "the agent's report of the node", "the agent's lease",
                                  "the agent's housekeeping", "a job of the agent", "what follows a job of the agent"})
    for (const auto what : faulttest::kThrown) {
      INFO(place << ": " << faulttest::textOf(what));
      const std::string pod = "p" + std::to_string(++made), before = renewed();
      {
        const faulttest::Injection injected(place, what, 2);
        n.make(pod, "{}");
        n.run(seconds(40));
        CHECK(injected.done());
      }
      CHECK(n.phase(pod) == "Running");
      CHECK(n.phase("web") == "Running");
      CHECK(renewed() > before);
      n.run(seconds(20));
      CHECK(told().starts_with("True "));
      CHECK(told().find(place) != std::string::npos);
      CHECK(told().find(faulttest::textOf(what)) != std::string::npos);
      REQUIRE(n.client->write(Write::remove({"pods", "default", pod})).ok());
      n.run(seconds(5));
      CHECK_FALSE(n.client->get({"pods", "default", pod}).ok());
    }
}

TEST_CASE("a fault that lasts stands in the node's condition, and its lease is renewed all the same") {
  SimNode n;
  n.run(seconds(1));
  const faulttest::Injection injected("the agent's look at the runtime", faulttest::Thrown::noMemory, 1'000'000);
  n.run(minutes(2));
  const auto node = n.client->get({"nodes", "", "n1"});
  bool found = false;
  for (const auto& condition : arrayAt((*node)->status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Faultless") {
      found = true;
      CHECK(stringAt(condition, {"status"}) == "False");
      CHECK(stringAt(condition, {"message"}).find("look at the runtime: out of memory") != std::string_view::npos);
    }
  CHECK(found);
  const auto lease = n.client->get({"leases.coordination.k8s.io", "kube-node-lease", "n1"});
  CHECK(stringAt((*lease)->spec(), {"renewTime"}) >= "2026-01-01T00:01:4");
}
