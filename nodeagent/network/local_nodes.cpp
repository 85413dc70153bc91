#include "nodeagent/network/local_nodes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/child.h"
#include "core/folder.h"
#include "nodeagent/network/ip_tool.h"
#include "nodeagent/network/service_proxy.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

/// Two clusters that start at once must not choose the same ranges.
class MachineLock {
 public:
  MachineLock() : fd_(::open("/run/steersman.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    if (fd_ >= 0) ::flock(fd_, LOCK_EX);
  }
  ~MachineLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  MachineLock(const MachineLock&) = delete;
  MachineLock& operator=(const MachineLock&) = delete;

 private:
  int fd_;
};

Result<json::object> readRecord(const std::string& path) {
  std::ifstream in(path);
  if (!in) return json::object{};
  std::stringstream text;
  text << in.rdbuf();
  STEER_TRY(json::value parsed, parseJson(text.str()));
  if (!parsed.is_object()) return makeError(Errc::invalid, path + " is not a JSON object");
  return std::move(parsed.get_object());
}

Result<void> writeRecord(const std::string& path, const json::object& record) {
  const std::string next = path + ".new";
  std::ofstream out(next, std::ios::trunc);
  out << jsonPretty(record) << "\n";
  out.close();
  if (!out || std::rename(next.c_str(), path.c_str()) != 0) return makeError(Errc::io, "cannot write " + path);
  return {};
}

/// The plans of other clusters keep their ranges while their bridge exists: those show up as addresses.
Result<AddressPlan> choosePlan(const std::string& seed) {
  const AddressPlan own = AddressPlan::of(seed);
  if (::geteuid() != 0) return own;  // simulated nodes: nothing is put on this machine
  STEER_TRY(const std::vector<Cidr> used, IpTool().rangesInUse({own.bridge()}));
  return AddressPlan::pickFree(seed, used);
}

std::string macOf(const AddressPlan& plan, unsigned kind, unsigned number) {
  return fmt::format("02:fe:{}:{}:{:02x}:{:02x}", plan.tag.substr(0, 2), plan.tag.substr(2, 2), kind, number);
}

/// What this machine's forwarding was before the first cluster on it: given back by the last one. Belongs to the
/// network namespace, and to this boot (/run).
std::string forwardingRecord() {
  struct stat ns {};
  return ::stat("/proc/thread-self/ns/net", &ns) == 0 ? "/run/steersman.forwarding-" + std::to_string(ns.st_ino) : "";
}

constexpr const char* kForward = "net.ipv4.ip_forward";

/// A cluster's bridge is named st??????br.
Result<bool> anyClusterBridge() {
  STEER_TRY(const json::array links, IpTool().list({"link", "show", "type", "bridge"}));
  return std::any_of(links.begin(), links.end(), [](const json::value& link) {
    const auto name = stringAt(link, {"ifname"});
    return name.size() == 10 && name.starts_with("st") && name.ends_with("br");
  });
}

Result<void> switchOnForwarding() {
  const IpTool host;
  STEER_TRY(const std::string before, host.sysctlValue(kForward));
  STEER_TRY(const bool others, anyClusterBridge());
  if (before == "1") {
    if (!others) std::remove(forwardingRecord().c_str());  // somebody else switched it on since
    return {};
  }
  std::ofstream(forwardingRecord(), std::ios::trunc) << before << "\n";
  return host.sysctl({std::string(kForward) + "=1"});
}

Result<void> giveForwardingBack() {
  const auto record = forwardingRecord();
  std::ifstream in(record);
  std::string before;
  if (!(in >> before)) return {};
  STEER_TRY(const bool others, anyClusterBridge());
  if (others) return {};
  STEER_CHECK(IpTool().sysctl({std::string(kForward) + "=" + before}));
  std::remove(record.c_str());
  return {};
}

std::string egressTable(const AddressPlan& plan) { return plan.table() + "_out"; }

std::string netnsPath(const std::string& name) { return "/run/netns/" + name; }

}  // namespace

Result<AddressPlan> recordedPlan(const std::string& dataDir) {
  std::error_code ec;
  fs::create_directories(dataDir, ec);
  const std::string path = dataDir + "/cluster.json";
  const MachineLock lock;
  STEER_TRY(json::object record, readRecord(path));
  if (const auto* plan = record.if_contains("network")) return AddressPlan::fromJson(*plan);
  STEER_TRY(AddressPlan plan, choosePlan(fs::weakly_canonical(dataDir, ec).string()));
  record["network"] = plan.toJson();
  STEER_CHECK(writeRecord(path, record));
  return plan;
}

LocalNode LocalNodes::node(unsigned number) const {
  return {number, netnsPath(plan_.netns(number)), plan_.nodeAddress(number)};
}

Result<void> LocalNodes::makeBridge() {
  const IpTool host;
  STEER_CHECK(switchOnForwarding());
  const std::string bridge = plan_.bridge();
  std::vector<std::string> lines;
  if (!host.hasLink(bridge)) {
    STEER_TRY(const std::vector<Cidr> used, host.rangesInUse({}));
    for (const auto& range : used)
      if (plan_.overlaps(range))
        return makeError(Errc::unavailable, "the cluster's address ranges clash with " + range.text() +
                                                " on this machine; stop what uses it, or use another data directory");
    lines.push_back("link add " + bridge + " address " + macOf(plan_, 0, 254) + " type bridge");
  }
  lines.push_back("addr replace " + plan_.hostAddress() + "/24 dev " + bridge);
  lines.push_back("link set " + bridge + " up");
  // Addresses of nobody must not leave by the machine's default route. Services are routed to the
  // bridge, because rules that translate them see a packet only after it found a route.
  lines.push_back("route replace unreachable " + plan_.podCidr.text());
  lines.push_back("route replace " + plan_.serviceCidr.text() + " dev " + bridge + " src " + plan_.hostAddress());
  STEER_CHECK(host.batch(lines));
  // Beyond this machine nobody knows the way to the nodes' addresses.
  auto masqueraded =
      runChecked({{"nft", "-f", "-"}}, fmt::format(R"(add table ip {0}
delete table ip {0}
table ip {0} {{
 chain post {{ type nat hook postrouting priority srcnat; policy accept;
  ip saddr {1} ip daddr != {{ {1}, {2} }} masquerade
 }}
}}
)",
                                                   egressTable(plan_), plan_.nodeSubnet.text(), plan_.podCidr.text()));
  if (!masqueraded.ok()) return std::move(masqueraded).error();
  return {};
}

Result<void> LocalNodes::makeNode(unsigned number) {
  const IpTool host;
  const LocalNode node = this->node(number);
  const std::string veth = plan_.veth(number), ns = plan_.netns(number);
  std::error_code ec;
  std::vector<std::string> lines;
  const bool hasNetns = fs::exists(node.netns, ec);
  bool hasVeth = host.hasLink(veth);
  if (hasVeth && !hasNetns) {
    lines.push_back("link del " + veth);  // its peer is in a namespace that lost its name
    hasVeth = false;
  }
  if (!hasNetns) lines.push_back("netns add " + ns);
  if (!hasVeth)
    lines.push_back(
        fmt::format("link add {} type veth peer name eth0 address {} netns {}", veth, macOf(plan_, 1, number), ns));
  lines.push_back("link set " + veth + " master " + plan_.bridge() + " up");
  STEER_CHECK(host.batch(lines));
  const IpTool inside(node.netns);
  STEER_CHECK(inside.batch({"link set lo up", "addr replace " + node.address + "/24 dev eth0", "link set eth0 up",
                            "route replace default via " + plan_.hostAddress()}));
  return inside.sysctl({"net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"});
}

Result<void> LocalNodes::removeNode(unsigned number) {
  const IpTool host;
  // The link first: a process that keeps the namespace alive must not keep its network.
  if (host.hasLink(plan_.veth(number))) STEER_CHECK(host.batch({"link del " + plan_.veth(number)}));
  std::error_code ec;
  if (fs::exists(netnsPath(plan_.netns(number)), ec)) STEER_CHECK(host.batch({"netns del " + plan_.netns(number)}));
  return {};
}

std::vector<unsigned> LocalNodes::existingNodes() const {
  std::vector<unsigned> out;
  const auto note = [&out](const std::string& name, const std::string& prefix) {
    if (!name.starts_with(prefix)) return;
    unsigned number = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + prefix.size(), end, number).ptr == end && number > 0) out.push_back(number);
  };
  for (const auto& path : pathsIn("/run/netns")) note(path.filename(), "st" + plan_.tag + "-n");
  for (const auto& path : pathsIn("/sys/class/net")) note(path.filename(), "st" + plan_.tag + "v");
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::vector<LocalNode>> LocalNodes::up(unsigned count) {
  if (count > AddressPlan::maxNodes)
    return makeError(Errc::invalid, "at most " + std::to_string(AddressPlan::maxNodes) + " local nodes");
  const MachineLock lock;
  STEER_CHECK(makeBridge());
  std::vector<LocalNode> out;
  for (unsigned n = 1; n <= count; ++n) {
    STEER_CHECK(makeNode(n));
    out.push_back(node(n));
  }
  for (const unsigned n : existingNodes())
    if (n > count) STEER_CHECK(removeNode(n));
  return out;
}

Result<void> LocalNodes::destroy() {
  const MachineLock lock;
  for (const unsigned n : existingNodes()) STEER_CHECK(removeNode(n));
  const IpTool host;
  if (host.hasLink(plan_.bridge())) STEER_CHECK(host.batch({"link del " + plan_.bridge()}));
  STEER_CHECK(giveForwardingBack());
  STEER_TRY(const json::array routes, host.list({"-4", "route", "show", "type", "unreachable"}));
  for (const auto& route : routes)
    if (stringAt(route, {"dst"}) == plan_.podCidr.text())
      STEER_CHECK(host.batch({"route del unreachable " + plan_.podCidr.text()}));
  STEER_TRY(const auto proxy, ServiceProxy::open());
  STEER_CHECK(proxy->removeTable(egressTable(plan_)));
  return proxy->removeTable(plan_.table());
}

}  // namespace steer
