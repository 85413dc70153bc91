// The first pods of a cluster wait for its nodes, but not for long.
#include <catch2/catch.hpp>
#include <set>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/manager/scheduler_loop.h"
#include "cluster/store/store.h"

using namespace steer;

namespace {

/// No node controller runs here that would take the taint of a new node away.
ApiServerOptions untainted() {
  ApiServerOptions out;
  out.disabledAdmission = *DisabledAdmission::parse("TaintNodesByCondition");
  return out;
}

struct NewCluster {
  std::unique_ptr<Store> store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), {.inlineCommit = true}));
  ManualClock clock;
  Random random{1};
  ApiServer api{*store, clock, random, untainted()};
  std::unique_ptr<Client> client = makeInProcessClient(api, systemIdentity());
  SchedulerLoop scheduler{*client, random, milliseconds(700)};
  const Time start = clock.now();

  /// Steps until it wants to wait; returns until when.
  std::optional<Time> at(Duration after) {
    const Time now = start + after;
    Loop::Next next{};
    do next = scheduler.step(now);
    while (next.at && *next.at <= now);
    return next.at;
  }
  void readyNode(const std::string& name) {
    REQUIRE(
        client->write(Write::create("nodes", {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name}}}}))
            .ok());
    const json::object status{{"allocatable", {{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "110"}}},
                              {"conditions", json::array{json::object{{"type", "Ready"}, {"status", "True"}}}}};
    REQUIRE(
        client->write(Write::patch({"nodes", "", name}, PatchType::merge, json::object{{"status", status}}, "status"))
            .ok());
  }
  void pod(const std::string& name) {
    REQUIRE(client
                ->write(Write::create(
                    "pods", {{"apiVersion", "v1"},
                             {"kind", "Pod"},
                             {"metadata", {{"name", name}, {"namespace", "default"}}},
                             {"spec", {{"containers", json::array{json::object{{"name", "c"}, {"image", "c:1"}}}}}}}))
                .ok());
  }
  std::multiset<std::string> nodes() const {
    std::multiset<std::string> out;
    store->snapshot().each("pods", "default",
                           [&](const ObjectPtr& pod) { out.emplace(stringAt(pod->spec(), {"nodeName"})); });
    return out;
  }
};

}  // namespace

TEST_CASE("A node that is ready a little later gets its share of the first pods") {
  NewCluster c;
  c.pod("a");
  c.pod("b");
  c.readyNode("n1");
  CHECK(c.at(milliseconds(0)) == c.start + milliseconds(700));
  CHECK(c.nodes() == std::multiset<std::string>{"", ""});
  c.readyNode("n2");
  CHECK(c.at(milliseconds(500)) == c.start + milliseconds(1200));
  c.at(milliseconds(1200));
  CHECK(c.nodes() == std::multiset<std::string>{"n1", "n2"});
}

TEST_CASE("Nodes that keep coming do not keep the first pods waiting for ever") {
  NewCluster c;
  c.pod("a");
  for (int i = 0; i < 5; ++i) {
    c.readyNode("n" + std::to_string(i));
    c.at(milliseconds(500 * i));
    CHECK(c.nodes().contains(""));
  }
  c.at(milliseconds(2100));
  CHECK_FALSE(c.nodes().contains(""));
}

TEST_CASE("Once a pod is bound the next ones do not wait, whatever nodes do") {
  NewCluster c;
  c.readyNode("n1");
  c.pod("a");
  c.at(milliseconds(0));
  c.at(milliseconds(700));
  c.readyNode("n2");
  c.pod("b");
  c.at(milliseconds(701));
  CHECK(c.nodes() == std::multiset<std::string>{"n1", "n2"});
}

TEST_CASE("Without a ready node a pod hears at once why it waits") {
  NewCluster c;
  c.pod("a");
  c.at(milliseconds(0));
  const auto pod = c.store->snapshot().get("pods", "default", "a");
  REQUIRE(arrayAt(pod->status(), {"conditions"}).size() == 1);
  CHECK(stringAt(arrayAt(pod->status(), {"conditions"})[0], {"reason"}) == "Unschedulable");
}
