#include "nodeagent/network/service_proxy.h"

#include <map>

#include "tests/unit/network/local_cluster.h"

using namespace steer;
using namespace steer::test;

namespace {

/// Two nodes, three pods on port 8080 of service address 10, node port 30080, proxies everywhere.
class WebCluster : public LocalCluster {
 public:
  WebCluster() {
    port.service = "shop/web:";
    port.port = 80;
    port.nodePort = 30080;
    port.clusterIp = serviceIp(10);
    for (const auto& [node, n] : {std::pair{1u, 2u}, {1u, 3u}, {2u, 2u}}) {
      pods.push_back(addPod(node, n));
      servers.push_back(std::make_unique<EchoServer>(pods.back(), podIp(node, n), std::uint16_t{8080}));
      port.inside.push_back({podIp(node, n), 8080});
    }
    port.outside = port.inside;
    port.anyEndpoint = true;
    for (const auto& at : {std::string(), node(1), node(2)}) proxies.push_back(proxy(at));
    apply();
  }
  void apply() {
    for (std::size_t i = 0; i < proxies.size(); ++i) {
      auto mine = port;
      if (i == 1) mine.onThisNode = {podIp(1, 2), podIp(1, 3)};
      if (i == 2) mine.onThisNode = {podIp(2, 2)};
      must(proxies[i]->apply(NftRuleset({{mine}}, nft())));
    }
  }
  /// Who answered how often in `times` calls, by name.
  std::map<std::string, int> answers(const std::string& from, const std::string& ip, std::uint16_t at, int times = 40) {
    std::map<std::string, int> out;
    for (int i = 0; i < times; ++i) ++out[name(call(from, ip, at))];
    return out;
  }
  static std::string name(const std::string& answer) { return answer.substr(0, answer.find(' ')); }
  static std::string client(const std::string& answer) { return answer.substr(answer.find(' ') + 1); }

  ServicePort port;
  std::vector<std::string> pods;
  std::vector<std::unique_ptr<EchoServer>> servers;
  std::vector<std::unique_ptr<ServiceProxy>> proxies;
};

}  // namespace

TEST_CASE("a service address is answered by all its endpoints, from pods, nodes and the machine") {
  WebCluster c;
  for (const auto& from : {c.addPod(1, 9), c.node(2), std::string()}) {
    const auto seen = c.answers(from, c.serviceIp(10), 80);
    CHECK(seen.size() == 3);
    CHECK(seen.count("refused") + seen.count("timeout") + seen.count("unreachable") == 0);
  }
}

TEST_CASE("between pods no address is translated, directly or through a service") {
  WebCluster c;
  const auto pod = c.addPod(1, 9);
  CHECK(call(pod, c.podIp(2, 2), 8080) == c.podIp(2, 2) + " " + c.podIp(1, 9));
  for (int i = 0; i < 10; ++i) CHECK(c.client(call(pod, c.serviceIp(10), 80)) == c.podIp(1, 9));
}

TEST_CASE("an endpoint reaches itself through its own service") {
  WebCluster c;
  const auto seen = c.answers(c.pods[0], c.serviceIp(10), 80);
  CHECK(seen.size() == 3);
  CHECK(seen.count("timeout") == 0);
}

TEST_CASE("pods reach the world beyond the machine, which sees the machine's address") {
  WebCluster c;
  const std::string world = c.plan().netns(9) + "world";
  c.must(IpTool().batch({"netns add " + world, "link add out type veth peer name eth0 netns " + world,
                         "addr add 192.0.2.1/24 dev out", "link set out up"}));
  c.must(IpTool("/run/netns/" + world).batch({"addr add 192.0.2.9/24 dev eth0", "link set eth0 up"}));
  {
    const EchoServer server("/run/netns/" + world, "world", 80);
    CHECK(call(c.pods[0], "192.0.2.9", 80) == "world 192.0.2.1");
    CHECK(call(c.node(2), "192.0.2.9", 80) == "world 192.0.2.1");
  }
  c.must(IpTool().batch({"netns del " + world}));
}

TEST_CASE("a node port answers at every node and at the machine, but not on loopback") {
  WebCluster c;
  for (const auto& at : {c.local().node(1).address, c.local().node(2).address, c.plan().hostAddress()})
    CHECK(c.answers("", at, 30080).size() == 3);
  CHECK(c.answers(c.pods[2], c.local().node(1).address, 30080).size() == 3);
  CHECK(call("", "127.0.0.1", 30080) == "refused");
}

TEST_CASE("with policy Local a node port keeps the client's address and drops what has no endpoint there") {
  WebCluster c;
  c.port.outsideLocal = true;
  auto here = c.port, away = c.port;
  here.outside = {{c.podIp(1, 2), 8080}};
  away.outside = {};
  c.must(c.proxies[1]->apply(NftRuleset({{here}}, c.nft())));
  c.must(c.proxies[2]->apply(NftRuleset({{away}}, c.nft())));
  CHECK(call("", c.local().node(1).address, 30080) == c.podIp(1, 2) + " " + c.plan().hostAddress());
  CHECK(call("", c.local().node(2).address, 30080) == "timeout");
}

TEST_CASE("a service without endpoints, and a service address of nobody, refuse at once") {
  WebCluster c;
  c.port.inside.clear();
  c.port.outside.clear();
  c.port.anyEndpoint = false;
  c.apply();
  for (const auto& from : {c.pods[0], c.node(1), std::string()}) {
    CHECK(call(from, c.serviceIp(10), 80) == "refused");
    CHECK(call(from, c.serviceIp(77), 80) == "refused");
    CHECK(call(from, c.serviceIp(10), 80, SOCK_DGRAM) == "refused");
  }
  CHECK(call("", c.local().node(1).address, 30080) == "refused");
}

TEST_CASE("endpoints that come and go change who answers, also after somebody flushed the table") {
  WebCluster c;
  const auto all = c.port.inside;
  c.port.inside = {all[2]};
  c.apply();
  CHECK(c.answers(c.pods[0], c.serviceIp(10), 80, 10) == std::map<std::string, int>{{c.podIp(2, 2), 10}});
  CHECK(c.proxies[1]->intact());
  inside(c.node(1), [] { (void)runChecked({{"nft", "flush", "ruleset"}}); });
  CHECK_FALSE(c.proxies[1]->intact());
  c.port.inside = {all[0]};
  c.apply();
  CHECK(c.answers(c.pods[0], c.serviceIp(10), 80, 10) == std::map<std::string, int>{{c.podIp(1, 2), 10}});
  inside(c.node(1), [] { (void)runChecked({{"nft", "flush", "ruleset"}}); });
  c.port.inside = {all[0], all[1]};
  c.apply();  // nobody asked whether the table is intact: the difference does not fit, so all is loaded
  CHECK(c.answers(c.pods[0], c.serviceIp(10), 80).size() == 2);
}

TEST_CASE("client affinity holds a client to one endpoint until that endpoint goes") {
  WebCluster c;
  c.port.affinitySeconds = 600;
  c.apply();
  const auto pod = c.addPod(1, 9);
  const auto first = c.answers(pod, c.serviceIp(10), 80, 12);
  REQUIRE(first.size() == 1);
  const std::string held = first.begin()->first;
  std::erase_if(c.port.inside, [&](const Endpoint& e) { return e.ip == held; });
  c.apply();
  const auto then = c.answers(pod, c.serviceIp(10), 80, 12);
  CHECK(then.size() == 1);
  CHECK(then.count(held) == 0);
}

TEST_CASE("a UDP flow moves on when its endpoint goes") {
  WebCluster c;
  c.port.protocol = Protocol::udp;
  c.apply();
  const auto pod = c.addPod(1, 9);
  const std::string held = c.name(call(pod, c.serviceIp(10), 80, SOCK_DGRAM, 4000));
  CHECK(c.name(call(pod, c.serviceIp(10), 80, SOCK_DGRAM, 4000)) == held);
  std::erase_if(c.port.inside, [&](const Endpoint& e) { return e.ip == held; });
  c.apply();
  const std::string then = c.name(call(pod, c.serviceIp(10), 80, SOCK_DGRAM, 4000));
  CHECK(then != held);
  CHECK(then.starts_with("10."));
}

TEST_CASE("while endpoints are swapped a thousand times no client is refused") {
  WebCluster c;
  const auto pod = c.addPod(1, 9);
  const auto all = c.port.inside;
  std::atomic<bool> stop{false};
  std::map<std::string, int> seen;
  std::thread client([&] {
    while (!stop) ++seen[c.name(call(pod, c.serviceIp(10), 80))];
  });
  for (std::size_t i = 0; i < 1000; ++i) {
    auto mine = c.port;
    mine.inside = i % 2 == 0 ? std::vector<Endpoint>{all[i % 3]} : all;
    c.must(c.proxies[1]->apply(NftRuleset({{mine}}, c.nft())));
  }
  stop = true;
  client.join();
  CHECK(seen.size() == 3);
  for (const auto& [who, times] : seen) {
    INFO(who << " " << times);
    CHECK(who.starts_with("10."));
  }
}

TEST_CASE("a hundred changes and ten restarts of the proxy, each with a full load, cost no client its connection") {
  WebCluster c;
  const auto pod = c.addPod(1, 9);
  const auto all = c.port.inside;
  std::atomic<bool> stop{false};
  std::map<std::string, int> seen;
  std::thread client([&] {
    while (!stop) ++seen[c.name(call(pod, c.serviceIp(10), 80))];
  });
  for (std::size_t i = 0; i < 100; ++i) {
    auto mine = c.port;
    mine.inside = i % 2 == 0 ? std::vector<Endpoint>{all[i % 3]} : all;
    if (i % 10 == 9) c.proxies[1] = c.proxy(c.node(1));  // knows nothing of what is loaded
    c.must(c.proxies[1]->apply(NftRuleset({{mine}}, c.nft())));
  }
  stop = true;
  client.join();
  int answered = 0;
  for (const auto& [who, times] : seen) {
    INFO(who << " " << times);
    CHECK(who.starts_with("10."));
    answered += times;
  }
  CHECK(answered > 20);
}

TEST_CASE("a client with affinity keeps its endpoint when a restarted proxy loads everything anew") {
  WebCluster c;
  c.port.affinitySeconds = 600;
  c.apply();
  const auto pod = c.addPod(1, 9);
  const auto held = c.name(call(pod, c.serviceIp(10), 80));
  for (int i = 0; i < 3; ++i) {
    c.proxies[1] = c.proxy(c.node(1));
    c.apply();
    CHECK(c.answers(pod, c.serviceIp(10), 80, 6) == std::map<std::string, int>{{held, 6}});
  }
}
