#include "nodeagent/network/node_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "cluster/network/cidr.h"
#include "core/child.h"
#include "core/json.h"
#include "nodeagent/network/ip_tool.h"

namespace steer {
namespace {

// Marks our routes in the kernel's table, so that a restarted agent knows them from others.
constexpr std::string_view routeProtocol = "84";

std::string readAll(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::string NodeNetwork::gatewayOf(const std::string& podCidr) {
  const auto range = Cidr::parse(podCidr);
  return range ? range->address(1) : "";
}

Result<void> NodeNetwork::writeCniConf(const std::string& podCidr) const {
  std::error_code ec;
  std::filesystem::create_directories(options_.cniConfDir, ec);
  std::filesystem::create_directories(options_.cniStateDir, ec);
  const json::object bridge{
      {"type", "bridge"},
      {"bridge", options_.bridge},
      {"isGateway", true},
      {"ipMasq", false},
      {"hairpinMode", true},
      {"mtu", options_.mtu},
      {"ipam", json::object{{"type", "host-local"},
                            {"dataDir", options_.cniStateDir},
                            {"ranges", json::array{json::array{json::object{{"subnet", podCidr}}}}},
                            {"routes", json::array{json::object{{"dst", "0.0.0.0/0"}}}}}}};
  const json::object portmap{
      {"type", "portmap"}, {"capabilities", json::object{{"portMappings", true}}}, {"snat", true}};
  const json::object conf{{"cniVersion", "0.4.0"}, {"name", "podnet"}, {"plugins", json::array{bridge, portmap}}};
  const std::string path = options_.cniConfDir + "/10-steersman.conflist", text = jsonPretty(conf) + "\n";
  if (readAll(path) == text) return {};
  // Not ending in .conflist, so that the runtime never reads half a file.
  const std::string next = options_.cniConfDir + "/.next";
  std::ofstream out(next, std::ios::trunc);
  out << text;
  out.close();
  if (!out || std::rename(next.c_str(), path.c_str()) != 0) return makeError(Errc::io, "cannot write " + path);
  return {};
}

Result<void> NodeNetwork::setUp(const std::string& podCidr) {
  const auto range = Cidr::parse(podCidr);
  if (!range || range->prefix > 30)
    return makeError(Errc::invalid, "the node's podCIDR is no usable range: " + podCidr);
  const IpTool ip;
  std::vector<std::string> lines;
  // The fixed address keeps the bridge usable after a pod's failed start took its only port away.
  if (!ip.hasLink(options_.bridge))
    lines.push_back(fmt::format("link add {} address 02:fe:a5:{:02x}:{:02x}:01 type bridge", options_.bridge,
                                range->base >> 16 & 255, range->base >> 8 & 255));
  lines.push_back(fmt::format("addr replace {}/{} dev {}", range->address(1), range->prefix, options_.bridge));
  lines.push_back("link set " + options_.bridge + " up");
  if (!options_.clusterPodCidr.empty())
    lines.push_back(fmt::format("route replace unreachable {} proto {}", options_.clusterPodCidr, routeProtocol));
  STEER_CHECK(ip.batch(lines));
  // Without bridge-nf-call, pod → service → pod on this node would bypass the translation back.
  std::error_code ec;
  if (!std::filesystem::exists("/proc/sys/net/bridge", ec)) (void)runCommand({{"modprobe", "br_netfilter"}});
  STEER_CHECK(ip.sysctl({"net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"}));
  return writeCniConf(podCidr);
}

Result<void> NodeNetwork::setPeers(const std::vector<PeerRoute>& peers) {
  const IpTool ip;
  STEER_TRY(const json::array routes, ip.list({"-4", "route", "show", "proto", std::string(routeProtocol)}));
  std::vector<std::string> lines;
  std::map<std::string, std::string> present;
  // Another cluster on this machine has routes of the same mark: only our own range is ours.
  const auto ours = Cidr::parse(options_.clusterPodCidr.empty() ? "0.0.0.0/0" : options_.clusterPodCidr);
  for (const auto& route : routes) {
    const auto via = stringAt(route, {"gateway"});
    const auto dst = Cidr::parse(stringAt(route, {"dst"}));
    if (!via.empty() && dst && ours && ours->overlaps(*dst)) present.emplace(dst->text(), std::string(via));
  }
  for (const auto& [dst, via] : present)
    if (std::none_of(peers.begin(), peers.end(), [&d = dst](const PeerRoute& p) { return p.podCidr == d; }))
      lines.push_back(fmt::format("route del {} via {} proto {}", dst, via, routeProtocol));
  for (const auto& peer : peers) {
    // They come from Node objects, which nodes write: text that is no address stays out of the batch.
    const auto range = Cidr::parse(peer.podCidr);
    if (!range || !parseIpv4(peer.via)) continue;
    if (const auto it = present.find(range->text()); it != present.end() && it->second == peer.via) continue;
    lines.push_back(fmt::format("route replace {} via {} proto {}", range->text(), peer.via, routeProtocol));
  }
  return ip.batch(lines);
}

}  // namespace steer
