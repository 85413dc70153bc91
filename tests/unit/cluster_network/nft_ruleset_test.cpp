#include "cluster/network/nft_ruleset.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/source_path.h"
#include "tests/unit/cluster_network/world.h"

using namespace steer;

namespace {

NftOptions options() { return {"steer_0a1b2c", "10.64.0.0/16", "10.128.0.0/16", "", {}, 0x4000}; }

ServicePort web(std::vector<Endpoint> endpoints) {
  ServicePort port;
  port.service = "shop/web:http";
  port.port = 80;
  port.clusterIp = "10.128.0.10";
  port.inside = port.outside = endpoints;
  port.anyEndpoint = !endpoints.empty();
  return port;
}

const std::vector<Endpoint> two{{"10.64.1.2", 8080}, {"10.64.2.2", 8080}};

/// Compares with tests/golden/cluster_network/<name>; ACCEPT=1 rewrites it.
void golden(const std::string& name, const std::string& text) {
  const std::string path = sourcePath("tests/golden/cluster_network/") + name;
  if (std::getenv("ACCEPT") != nullptr) {
    std::ofstream(path) << text;
    WARN("rewrote " << path);
    return;
  }
  std::ifstream in(path);
  std::stringstream expected;
  expected << in.rdbuf();
  CHECK(text == expected.str());
}

}  // namespace

TEST_CASE("the whole ruleset of a cluster with every kind of service port") {
  ServiceTable table;
  auto plain = web(two);
  plain.onThisNode = {"10.64.1.2"};
  plain.nodePort = 30080;
  auto affine = web({{"10.64.1.3", 9000}});
  affine.service = "shop/cart:";
  affine.clusterIp = "10.128.0.11";
  affine.affinitySeconds = 600;
  affine.nodePort = 30081;
  affine.outsideLocal = true;
  auto empty = web({});
  empty.service = "shop/empty:";
  empty.clusterIp = "10.128.0.12";
  auto away = web({});
  away.service = "shop/away:";
  away.clusterIp = "10.128.0.13";
  away.insideLocal = away.anyEndpoint = true;
  auto names = web({{"10.64.0.5", 53}});
  names.service = "kube-system/dns:dns";
  names.clusterIp = "10.128.0.14";
  names.protocol = Protocol::udp;
  names.externalIps = {"192.0.2.7"};
  table.ports = {plain, affine, empty, away, names};
  auto o = options();
  o.egressFrom = "10.64.0.0/16";
  o.egressExcept = {"10.64.0.0/16", "172.31.0.0/24"};
  golden("full.nft", NftRuleset(table, o).fullText());
}

TEST_CASE("one endpoint more is one element more, and the service's verdict") {
  auto three = two;
  three.push_back({"10.64.3.2", 8080});
  const NftRuleset before({{web(two)}}, options()), after({{web(three)}}, options());
  CHECK(NftRuleset::diffCommands(before, after) ==
        "delete element ip steer_0a1b2c services { 10.128.0.10 . tcp . 80 }\n"
        "add element ip steer_0a1b2c eps { 10.128.0.10 . tcp . 80 . 2 : 10.64.3.2 . 8080 }\n"
        "add element ip steer_0a1b2c services { 10.128.0.10 . tcp . 80 : goto lb3 }\n");
  CHECK(NftRuleset::diffCommands(after, before) ==
        "delete element ip steer_0a1b2c eps { 10.128.0.10 . tcp . 80 . 2 }\n"
        "delete element ip steer_0a1b2c services { 10.128.0.10 . tcp . 80 }\n"
        "add element ip steer_0a1b2c services { 10.128.0.10 . tcp . 80 : goto lb2 }\n");
}

TEST_CASE("more endpoints than there are balancing rules share out slots as evenly as slots can be") {
  std::vector<Endpoint> many;
  for (unsigned i = 0; i < 300; ++i)
    many.push_back({"10.64." + std::to_string(i / 200) + "." + std::to_string(i % 200), 80});
  const NftRuleset rules({{web(many)}}, options());
  std::map<std::string, int> share;
  for (const auto& [slot, endpoint] : rules.elements("eps")) ++share[endpoint];
  CHECK(share.size() == 300);
  int least = 1 << 20, most = 0;
  for (const auto& [endpoint, slots] : share) least = std::min(least, slots), most = std::max(most, slots);
  CHECK(most - least <= 1);
  CHECK(least >= 4);
  CHECK(rules.fullText().find(" chain " + rules.elements("services").begin()->second.substr(5) + " {") !=
        std::string::npos);
}

TEST_CASE("a change of endpoints never needs new rules; another affinity time does, once") {
  const NftRuleset none({{web({})}}, options()), some({{web(two)}}, options());
  CHECK(NftRuleset::sameRules(none, some));
  auto affine = web(two);
  affine.affinitySeconds = 60;
  NftRuleset with({{affine}}, options());
  CHECK_FALSE(NftRuleset::sameRules(some, with));
  NftRuleset without({{web(two)}}, options());
  without.keepChains(with);
  CHECK(NftRuleset::sameRules(without, with));
}

TEST_CASE("an endpoint that is replaced by another changes its slot and nothing else") {
  const NftRuleset before({{web(two)}}, options());
  const NftRuleset after({{web({{"10.64.1.2", 8080}, {"10.64.2.9", 8080}})}}, options());
  CHECK(NftRuleset::diffCommands(before, after) ==
        "delete element ip steer_0a1b2c eps { 10.128.0.10 . tcp . 80 . 1 }\n"
        "add element ip steer_0a1b2c eps { 10.128.0.10 . tcp . 80 . 1 : 10.64.2.9 . 8080 }\n");
  CHECK(NftRuleset::diffCommands(before, before).empty());
}

TEST_CASE("a service that loses its last endpoint is refused, and dropped where only others have one") {
  auto away = web({});
  away.insideLocal = away.anyEndpoint = true;
  CHECK(NftRuleset({{web({})}}, options()).elements("services").at("10.128.0.10 . tcp . 80") == "goto do_reject");
  CHECK(NftRuleset({{away}}, options()).elements("services").at("10.128.0.10 . tcp . 80") == "goto do_drop");
}

TEST_CASE("what the kernel remembers of a vanished endpoint is named for UDP and for client affinity only") {
  auto udp = web(two);
  udp.protocol = Protocol::udp;
  auto affine = web(two);
  affine.affinitySeconds = 60;
  const auto stale = [](ServicePort port) {
    const NftRuleset before({{port}}, options());
    port.inside = {two[0]};
    return NftRuleset::staleAfter(before, NftRuleset({{port}}, options()));
  };
  CHECK(stale(web(two)).empty());
  REQUIRE(stale(udp).size() == 1);
  CHECK(stale(udp)[0].endpoint == two[1]);
  CHECK(stale(udp)[0].address == "10.128.0.10");
  REQUIRE(stale(affine).size() == 1);
  CHECK(stale(affine)[0].affinityMark != 0);
}

TEST_CASE("two clusters in one namespace give their services different affinity marks") {
  auto affine = web(two);
  affine.affinitySeconds = 60;
  auto other = options();
  other.table = "steer_ffffff";
  const auto mark = [&](const NftOptions& o) { return NftRuleset({{affine}}, o).elements("affid").begin()->second; };
  CHECK(mark(options()).substr(0, 6) != mark(other).substr(0, 6));
}
