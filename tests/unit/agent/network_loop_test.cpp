#include "nodeagent/agent/network_loop.h"

#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "tests/fault/injection.h"

using namespace steer;

namespace {

/// A cluster of three resources; changes reach watches in order.
class FakeCluster final : public Client {
 public:
  using Feed = std::deque<WatchEvent>;
  class FeedWatch final : public Watch {
   public:
    explicit FeedWatch(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
    std::optional<WatchEvent> poll() override {
      if (feed_->empty()) return std::nullopt;
      auto event = std::move(feed_->front());
      feed_->pop_front();
      return event;
    }
    bool closed() const override { return false; }

   private:
    std::shared_ptr<Feed> feed_;
  };

  Result<ObjectPtr> get(const ObjectRef&) override { return makeError(Errc::notFound, ""); }
  Result<ObjectList> list(const std::string& resource, const ListOptions&) override {
    if (resource == down) return makeError(Errc::unavailable, "down");
    ObjectList out;
    out.revision = revision;
    for (const auto& [name, object] : objects[resource]) out.items.push_back(object);
    return out;
  }
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions&, std::uint64_t, Waker) override {
    feeds[resource] = std::make_shared<Feed>();
    return std::unique_ptr<Watch>(std::make_unique<FeedWatch>(feeds[resource]));
  }
  Result<ObjectPtr> write(const Write&) override { return makeError(Errc::forbidden, ""); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write>, const BatchOptions&) override { return {}; }
  Result<Observation> observe(const ObserveRequest&) override { return makeError(Errc::forbidden, ""); }

  void put(const std::string& resource, json::object body) {
    body["metadata"].as_object()["resourceVersion"] = std::to_string(++revision);
    const auto object = Object::make(std::move(body));
    const bool known = std::exchange(objects[resource][object->name()], object) != nullptr;
    if (const auto it = feeds.find(resource); it != feeds.end())
      it->second->push_back(
          {known ? WatchEvent::Type::modified : WatchEvent::Type::added, object, revision, std::nullopt});
  }

  std::map<std::string, std::map<std::string, ObjectPtr>> objects;
  std::map<std::string, std::shared_ptr<Feed>> feeds;
  std::uint64_t revision = 0;
  std::string down;
};

/// Node n1 of a cluster with one service; what the loop did to each door.
struct Node {
  FakeCluster cluster;
  ManualClock clock;
  int rules = 0, names = 0, pods = 0, peers = 0;
  std::map<std::string, std::string> endpoints;
  std::vector<PeerRoute> routes;
  std::string podCidr, egress, trouble;
  bool rulesFail = false, flushed = false, ready = false;
  int told = 0;
  std::unique_ptr<NetworkLoop> loop;

  Node() {
    cluster.put("services", {{"metadata", {{"namespace", "shop"}, {"name", "web"}}},
                             {"spec", {{"clusterIP", "10.96.0.10"}, {"ports", {{{"port", 80}}}}}}});
    setEndpoints({"10.1.1.2"});
    putNode("n1", "10.1.1.0/24", "172.31.0.1");
    putNode("n2", "10.1.2.0/24", "172.31.0.2");
    NetworkDoors doors;
    doors.applyRules = [this](const NftRuleset& r) -> Result<void> {
      ++rules;
      if (rulesFail) return makeError(Errc::internal, "no");
      endpoints = r.elements("eps");
      egress = r.fullText().find("masquerade\n }") != std::string::npos ? "on" : "off";
      flushed = false;
      return {};
    };
    doors.rulesIntact = [this] { return !flushed; };
    doors.setUpPods = [this](const std::string& cidr) -> Result<void> {
      ++pods;
      podCidr = cidr;
      return {};
    };
    doors.setPeers = [this](const std::vector<PeerRoute>& r) -> Result<void> {
      ++peers;
      routes = r;
      return {};
    };
    doors.setNames = [this](std::shared_ptr<const DnsTable>) -> Result<void> {
      ++names;
      return {};
    };
    doors.tellReady = [this](bool yes, const std::string& why) {
      ++told;
      ready = yes;
      trouble = why;
    };
    NetworkLoopOptions options;
    options.nodeName = "n1";
    options.rules.podCidr = "10.1.0.0/16";
    loop = std::make_unique<NetworkLoop>(cluster, options, std::move(doors));
  }
  void setEndpoints(const std::vector<std::string>& ips) {
    json::array list;
    for (const auto& ip : ips) list.push_back(json::object{{"addresses", {ip}}});
    cluster.put(
        "endpointslices.discovery.k8s.io",
        {{"addressType", "IPv4"},
         {"metadata", {{"namespace", "shop"}, {"name", "web-1"}, {"labels", {{"kubernetes.io/service-name", "web"}}}}},
         {"ports", {{{"port", 8080}}}},
         {"endpoints", list}});
  }
  void putNode(const std::string& name, const std::string& cidr, const std::string& ip) {
    cluster.put("nodes", {{"metadata", {{"name", name}}},
                          {"spec", {{"podCIDR", cidr}}},
                          {"status", {{"addresses", {{{"type", "InternalIP"}, {"address", ip}}}}}}});
  }
  /// Steps as a driver would until the loop wants nothing for `span`.
  void run(Duration span) {
    const Time end = clock.now() + span;
    for (;;) {
      const auto next = loop->step(clock.now());
      if (!next.at || *next.at > end) break;
      clock.advanceTo(std::max(*next.at, clock.now()));
    }
    clock.advanceTo(end);
  }
};

}  // namespace

TEST_CASE("a node's network is applied once everything is known, and then it is ready") {
  Node node;
  node.run(milliseconds{1});
  CHECK(node.endpoints.size() == 1);
  CHECK(node.podCidr == "10.1.1.0/24");
  CHECK(node.routes == std::vector<PeerRoute>{{"10.1.2.0/24", "172.31.0.2"}});
  CHECK(node.names == 1);
  CHECK(node.egress == "on");
  CHECK(node.ready);
  CHECK(node.told == 1);
}

TEST_CASE("half a view takes nothing away: without all lists nothing is applied") {
  Node node;
  node.cluster.down = "endpointslices.discovery.k8s.io";
  node.run(seconds{1});
  CHECK(node.rules + node.names + node.pods + node.peers == 0);
  CHECK_FALSE(node.ready);
  node.cluster.down.clear();
  node.run(seconds{10});
  CHECK(node.endpoints.size() == 1);
  CHECK(node.ready);
}

TEST_CASE("a change after a quiet time is applied by the next step") {
  Node node;
  node.run(seconds{1});
  node.setEndpoints({"10.1.1.2", "10.1.2.2"});
  node.loop->step(node.clock.now());
  CHECK(node.endpoints.size() == 2);
}

TEST_CASE("a hundred changes in ten milliseconds are two applications, and the last one counts") {
  Node node;
  node.run(seconds{1});
  const int before = node.rules;
  for (int i = 0; i < 100; ++i) {
    node.setEndpoints({"10.1.1." + std::to_string(i + 1)});
    node.clock.advance(Duration{100});
    node.loop->step(node.clock.now());
  }
  node.run(milliseconds{50});
  CHECK(node.rules - before == 2);
  CHECK(node.endpoints.begin()->second == "10.1.1.100 . 8080");
}

TEST_CASE("a door that fails is tried again less and less often, the others go on, and the node says why") {
  Node node;
  node.rulesFail = true;
  node.run(seconds{60});
  CHECK(node.rules > 5);
  CHECK(node.rules < 40);
  CHECK(node.podCidr == "10.1.1.0/24");
  CHECK_FALSE(node.ready);
  CHECK(node.trouble.find("services") != std::string::npos);
  node.rulesFail = false;
  node.run(seconds{6});
  CHECK(node.ready);
  CHECK(node.endpoints.size() == 1);
}

TEST_CASE("heart-beats of nodes change nothing; a new node's pods get a route") {
  Node node;
  node.run(seconds{1});
  for (int i = 0; i < 20; ++i) {
    node.putNode("n2", "10.1.2.0/24", "172.31.0.2");
    node.run(seconds{1});
  }
  CHECK(node.peers == 1);
  CHECK(node.pods == 1);
  CHECK(node.rules == 1);
  node.putNode("n3", "10.1.3.0/24", "172.31.0.3");
  node.run(milliseconds{50});
  CHECK(node.routes.size() == 2);
}

TEST_CASE("a node waits for its pod range") {
  Node node;
  node.putNode("n1", "", "172.31.0.1");
  node.run(seconds{1});
  CHECK(node.pods == 0);
  CHECK_FALSE(node.ready);
  node.putNode("n1", "10.1.9.0/24", "172.31.0.1");
  node.run(milliseconds{50});
  CHECK(node.podCidr == "10.1.9.0/24");
  CHECK(node.ready);
}

TEST_CASE("rules that somebody flushed come back although nothing changed") {
  Node node;
  node.run(seconds{1});
  node.flushed = true;
  node.run(seconds{11});
  CHECK_FALSE(node.flushed);
}

TEST_CASE("a fault in one of the network's duties holds up that one alone, and it is tried again") {
  for (const std::string duty : {"services", "pod bridge", "routes", "names"})
    for (const auto what : faulttest::kThrown) {
      INFO(duty << ": " << faulttest::textOf(what));
      Node n;
      const faulttest::Injection injected("the node's " + duty, what, 2);
      n.loop->step(n.clock.now());
      n.clock.advance(milliseconds(50));
      n.loop->step(n.clock.now());
      CHECK(n.rules + n.names + n.pods + n.peers == 3);
      n.run(seconds(10));
      CHECK(injected.done());
      CHECK(n.rules > 0);
      CHECK(n.names > 0);
      CHECK(n.pods > 0);
      CHECK(n.peers > 0);
      CHECK(n.ready);
    }
}
