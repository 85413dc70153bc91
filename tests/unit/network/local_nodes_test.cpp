#include "nodeagent/network/local_nodes.h"

#include <fstream>
#include <sstream>

#include "tests/unit/network/local_cluster.h"

using namespace steer;
using namespace steer::test;

namespace {

/// What this (fresh) machine shows of links, namespaces, routes and tables.
std::string everything() {
  std::string text;
  for (const auto& argv : std::vector<std::vector<std::string>>{
           {"ip", "-o", "link", "show"}, {"ip", "-4", "route", "show", "table", "all"}, {"nft", "list", "tables"}})
    text += runChecked({argv}).valueOr("failed");
  return text;
}

std::string namespaces(const AddressPlan& plan) {
  std::string out;
  std::istringstream lines(runChecked({{"ip", "netns", "list"}}).valueOr("failed"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("st" + plan.tag)) out += line + "\n";
  return out;
}

/// A closed port answers too.
bool reaches(const std::string& from, const std::string& ip) { return call(from, ip, 9) == "refused"; }

}  // namespace

TEST_CASE("nodes that were made and destroyed leave nothing on the machine") {
  ownMachine();
  const TempDir dir;
  const std::string before = everything();
  LocalNodes nodes(*recordedPlan(dir.path()));
  REQUIRE(nodes.up(3).ok());
  CHECK(everything() != before);
  LocalCluster::must((*ServiceProxy::open())->apply(NftRuleset({}, {nodes.plan().table(), "", "", "", {}, 0x4000})));
  LocalCluster::must(nodes.destroy());
  CHECK(everything() == before);
  CHECK(namespaces(nodes.plan()).empty());
  LocalCluster::must(nodes.destroy());
}

TEST_CASE("a second run adopts the nodes it finds, makes the missing ones and removes the superfluous") {
  ownMachine();
  const TempDir dir;
  LocalNodes first(*recordedPlan(dir.path()));
  REQUIRE(first.up(2).ok());
  const std::string before = everything();
  LocalNodes second(*recordedPlan(dir.path()));
  REQUIRE(second.up(2).ok());
  CHECK(everything() == before);
  LocalCluster::must(IpTool().batch({"netns del " + second.plan().netns(2)}));
  REQUIRE(second.up(3).ok());
  CHECK(reaches("", second.node(2).address));
  CHECK(reaches("", second.node(3).address));
  REQUIRE(second.up(1).ok());
  CHECK(IpTool().hasLink(second.plan().veth(1)));
  CHECK_FALSE(IpTool().hasLink(second.plan().veth(2)));
  LocalCluster::must(second.destroy());
}

TEST_CASE("nodes reach each other and the machine; addresses of no pod are unreachable") {
  LocalCluster c;
  const auto one = c.addPod(1, 5), two = c.addPod(2, 5);
  CHECK(reaches(one, c.podIp(2, 5)));
  CHECK(reaches("", c.podIp(1, 5)));
  CHECK(reaches(c.node(1), c.local().node(2).address));
  CHECK(call("", c.podIp(77, 5), 80) == "unreachable");
  CHECK(call(c.node(1), c.podIp(77, 5), 80) == "unreachable");
}

TEST_CASE("two clusters on one machine do not touch each other, even where their first choice of ranges is the same") {
  ownMachine();
  const TempDir dirA, dirB;
  LocalNodes a(*recordedPlan(dirA.path()));
  REQUIRE(a.up(1).ok());
  LocalNodes b(*recordedPlan(dirB.path()));
  CHECK_FALSE(b.plan().overlaps(a.plan().podCidr));
  CHECK_FALSE(b.plan().overlaps(a.plan().nodeSubnet));
  REQUIRE(b.up(1).ok());
  // One cluster's agent keeps its routes; the machine's routes of the other stay.
  NodeNetworkOptions forA, forB;
  forA.clusterPodCidr = a.plan().podCidr.text();
  forB.clusterPodCidr = b.plan().podCidr.text();
  LocalCluster::must(NodeNetwork(forA).setPeers({{a.plan().podCidr.address(256) + "/24", a.node(1).address}}));
  LocalCluster::must(NodeNetwork(forB).setPeers({}));
  CHECK(runChecked({{"ip", "route"}}).valueOr("").find(a.plan().podCidr.address(256) + "/24") != std::string::npos);
  LocalCluster::must(b.destroy());
  CHECK(reaches("", a.node(1).address));
  LocalCluster::must(a.destroy());
}

TEST_CASE("the plan stays the one that was recorded, whatever else the record holds") {
  ownMachine();
  const TempDir dir;
  std::ofstream(dir.path() + "/cluster.json") << R"({"name":"demo"})";
  const auto first = recordedPlan(dir.path());
  REQUIRE(first.ok());
  // What would clash now was not there then.
  LocalCluster::must(IpTool().batch(
      {"link add other type bridge", "link set other up", "addr add " + first->podCidr.address(1) + "/16 dev other"}));
  CHECK(*recordedPlan(dir.path()) == *first);
  std::stringstream text;
  text << std::ifstream(dir.path() + "/cluster.json").rdbuf();
  CHECK(stringAt(*parseJson(text.str()), {"name"}) == "demo");
  LocalNodes nodes(*first);
  CHECK_FALSE(nodes.up(1).ok());
  LocalCluster::must(nodes.destroy());
}

TEST_CASE("routes follow the peers: a node that left loses its route") {
  LocalCluster c;
  inside(c.node(1), [&] {
    NodeNetwork network(c.networkOptions(1));
    LocalCluster::must(network.setPeers({{c.podCidr(7), c.local().node(2).address}, {"evil; rm", "x"}}));
  });
  const auto routes = runChecked({{"ip", "route"}, {}, c.node(1)}).valueOr("");
  CHECK(routes.find(c.podCidr(7)) != std::string::npos);
  CHECK(routes.find(c.podCidr(2)) == std::string::npos);
}

TEST_CASE("forwarding is given back by the last cluster when the first one switched it on, else it stays") {
  ownMachine();
  const auto forwarding = [] { return IpTool().sysctlValue("net.ipv4.ip_forward").valueOr("?"); };
  LocalCluster::must(IpTool().sysctl({"net.ipv4.ip_forward=0"}));
  const TempDir dirA, dirB;
  LocalNodes a(*recordedPlan(dirA.path()));
  REQUIRE(a.up(1).ok());
  CHECK(forwarding() == "1");
  LocalNodes b(*recordedPlan(dirB.path()));
  REQUIRE(b.up(1).ok());
  LocalCluster::must(a.destroy());
  CHECK(forwarding() == "1");
  REQUIRE(b.up(1).ok());  // as after a crash: what it was stays known
  LocalCluster::must(b.destroy());
  CHECK(forwarding() == "0");

  LocalCluster::must(IpTool().sysctl({"net.ipv4.ip_forward=1"}));
  REQUIRE(a.up(1).ok());
  LocalCluster::must(a.destroy());
  CHECK(forwarding() == "1");
}
