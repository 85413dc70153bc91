#include "cluster/network/nft_ruleset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace steer {
namespace {

struct SetShape {
  std::string_view name;
  std::string_view declaration;
};

// What stands in the table besides chains. `aff` is filled by the kernel, never by us.
constexpr std::array<SetShape, 9> shapes{{
    {"affid", "map affid { type ipv4_addr . inet_proto . inet_service : mark; }"},
    {"affto", "map affto { type mark : verdict; }"},
    {"eps", "map eps { typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }"},
    {"hairpin", "set hairpin { type ipv4_addr . ipv4_addr; }"},
    {"nodeports", "map nodeports { type inet_proto . inet_service : verdict; }"},
    {"npaffid", "map npaffid { type inet_proto . inet_service : mark; }"},
    {"npeps", "map npeps { typeof meta l4proto . th dport . numgen random mod 65536 : ip daddr . th dport; }"},
    {"npmasq", "set npmasq { type inet_proto . inet_service; }"},
    {"services", "map services { type ipv4_addr . inet_proto . inet_service : verdict; }"},
}};
// masqueraded when the client is not a pod | always, because the answer must come back this way
constexpr std::string_view vipSets =
    " set vips { type ipv4_addr; }\n set extmasq { type ipv4_addr . inet_proto . inet_service; }\n";

std::uint32_t hash32(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// Balancing chains are there from the start: the kernel takes elements while packets flow, but new
// rules only with a reload of the table. Many endpoints share out a larger number of slots, where
// no endpoint has more than one slot above another.
constexpr std::size_t exactSlots = 64;
constexpr std::array<std::size_t, 6> largeSlots{512, 1024, 2048, 4096, 8192, 16384};

std::size_t slotCount(std::size_t endpoints) {
  if (endpoints <= exactSlots) return endpoints;
  for (const std::size_t n : largeSlots)
    if (n >= 4 * endpoints) return n;
  return largeSlots.back();
}

/// The upper half tells clusters that share a namespace apart.
std::uint32_t markBase(std::string_view table) { return (hash32(table) | 0x10000u) & 0xffff0000u; }

std::string braced(const std::vector<std::string>& items) { return fmt::format("{{ {} }}", fmt::join(items, ", ")); }

}  // namespace

/// One address under which a service port can be reached.
struct NftRuleset::Front {
  std::string address;  ///< empty = node port
  std::uint16_t port = 0;
};

NftRuleset::NftRuleset(const ServiceTable& services, NftOptions options) : options_(std::move(options)) {
  for (const auto& shape : shapes) sets_[std::string(shape.name)];
  sets_["vips"];
  sets_["extmasq"];
  const auto balance = [this](std::size_t slots) {
    chains_.insert(fmt::format("lb{}", slots));
    chains_.insert(fmt::format("nlb{}", slots));
  };
  for (std::size_t n = 1; n <= exactSlots; ++n) balance(n);
  for (const std::size_t n : largeSlots) balance(n);
  chains_.insert("aff10800");
  for (const auto& port : services.ports) {
    addFront({port.clusterIp, port.port}, port, port.inside, port.insideLocal);
    sets_["vips"][port.clusterIp];
    for (const auto& ip : port.externalIps) {
      addFront({ip, port.port}, port, port.outside, port.outsideLocal);
      if (!port.outsideLocal) sets_["extmasq"][fmt::format("{} . {} . {}", ip, protocolText(port.protocol), port.port)];
    }
    if (port.nodePort != 0) {
      addFront({"", port.nodePort}, port, port.outside, port.outsideLocal);
      if (!port.outsideLocal) sets_["npmasq"][fmt::format("{} . {}", protocolText(port.protocol), port.nodePort)];
    }
    for (const auto& ip : port.onThisNode) sets_["hairpin"][ip + " . " + ip];
  }
}

void NftRuleset::addFront(const Front& front, const ServicePort& port, const std::vector<Endpoint>& endpoints,
                          bool local) {
  const bool np = front.address.empty();
  const std::string key =
      (np ? "" : front.address + " . ") + fmt::format("{} . {}", protocolText(port.protocol), front.port);
  auto& verdicts = sets_[np ? "nodeports" : "services"];
  if (verdicts.count(key) != 0) return;  // two services claim one address: the first by name has it
  if (endpoints.empty()) {
    verdicts[key] = local && port.anyEndpoint ? "goto do_drop" : "goto do_reject";
    return;
  }
  const std::size_t count = slotCount(endpoints.size());
  verdicts[key] = fmt::format("goto {}{}", np ? "nlb" : "lb", count);
  std::uint32_t mark = 0;
  if (port.affinitySeconds != 0) {
    mark = affinityMark(port);
    sets_[np ? "npaffid" : "affid"][key] = fmt::format("{:#010x}", mark);
    const std::string record = fmt::format("aff{}", port.affinitySeconds);
    chains_.insert(record);
    sets_["affto"][fmt::format("{:#010x}", mark)] = "goto " + record;
  }
  auto& slots = sets_[np ? "npeps" : "eps"];
  for (std::size_t i = 0; i < count; ++i) {
    const auto& to = endpoints[i % endpoints.size()];
    slots[fmt::format("{} . {}", key, i)] = fmt::format("{} . {}", to.ip, to.port);
  }
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (mark != 0 || port.protocol == Protocol::udp)
      facts_.insert({port.protocol, front.address, front.port, endpoints[i], mark});
  }
}

std::uint32_t NftRuleset::affinityMark(const ServicePort& port) {
  const std::string name = port.service + "/" + std::string(protocolText(port.protocol));
  std::uint32_t id = hash32(name) & 0xffffu;
  for (;;) {
    const std::uint32_t mark = markBase(options_.table) | id;
    const auto [it, fresh] = marks_.emplace(mark, name);
    if (fresh || it->second == name) return mark;
    id = (id + 1) & 0xffffu;
  }
}

const NftRuleset::Elements& NftRuleset::elements(const std::string& set) const {
  static const Elements none;
  const auto it = sets_.find(set);
  return it == sets_.end() ? none : it->second;
}

std::vector<std::string> NftRuleset::chainRules(const std::string& name) {
  const bool node = name.starts_with("nlb");
  if (node || name.starts_with("lb")) {
    const auto pick = [&](std::string_view slots) {
      return fmt::format(
          "meta l4proto {{ tcp, udp, sctp }} dnat ip to {}meta l4proto . th dport . numgen random mod {} map @{}",
          node ? "" : "ip daddr . ", slots, node ? "npeps" : "eps");
    };
    // A packet that meets a change half-way may look for a slot that has just gone: slot 0 is always there.
    return {pick(name.substr(node ? 3 : 2)), pick("1"), "goto do_reject"};
  }
  return {fmt::format("update @aff {{ ip saddr . ct mark timeout {}s : ip daddr . th dport }}", name.substr(3))};
}

bool NftRuleset::sameRules(const NftRuleset& before, const NftRuleset& after) {
  return before.options_ == after.options_ &&
         std::includes(before.chains_.begin(), before.chains_.end(), after.chains_.begin(), after.chains_.end());
}

std::string NftRuleset::fixedRules() const {
  const std::uint32_t base = markBase(options_.table);
  const std::string masq = fmt::format("meta mark set meta mark or {:#x}", options_.masqueradeMark);
  const std::string affine = fmt::format(
      "ct mark & 0xffff0000 == {:#010x} meta l4proto {{ tcp, udp, sctp }} dnat ip to ip saddr . ct mark "
      "map @aff",
      base);
  std::string text;
  const auto line = [&text](std::string_view rule) { text.append("  ").append(rule).append("\n"); };
  text +=
      " map aff { typeof ip saddr . ct mark : ip daddr . th dport; flags dynamic,timeout; timeout 3h; size 65536; }\n";
  text += " chain do_reject { meta l4proto tcp reject with tcp reset; reject; }\n chain do_drop { drop; }\n";
  text += " chain nodeport {\n";
  line("meta l4proto . th dport @npmasq " + masq);
  line("ct mark set meta l4proto . th dport map @npaffid");
  line(affine);
  line("meta l4proto . th dport vmap @nodeports");
  text += " }\n chain lookup {\n";
  line("ip daddr @vips " + (options_.podCidr.empty() ? "" : "ip saddr != " + options_.podCidr + " ") + masq);
  line("ip daddr . meta l4proto . th dport @extmasq " + masq);
  line("ct mark set ip daddr . meta l4proto . th dport map @affid");
  line(affine);
  line("ip daddr . meta l4proto . th dport vmap @services");
  line("fib daddr type local ip daddr != 127.0.0.0/8 jump nodeport");
  if (!options_.serviceCidr.empty()) line("ip daddr " + options_.serviceCidr + " goto do_reject");
  text += " }\n";
  text += " chain pre { type nat hook prerouting priority dstnat; policy accept; jump lookup; }\n";
  text += " chain out { type nat hook output priority -100; policy accept; jump lookup; }\n";
  text +=
      " chain affrec { type filter hook postrouting priority -50; policy accept; "
      "ct state new ct status dnat meta l4proto { tcp, udp, sctp } ct mark vmap @affto; }\n";
  text += " chain post { type nat hook postrouting priority srcnat; policy accept;\n";
  line("ct status dnat ip saddr . ip daddr @hairpin masquerade");
  line(fmt::format("meta mark & {0:#x} == {0:#x} meta mark set meta mark xor {0:#x} masquerade fully-random",
                   options_.masqueradeMark));
  if (!options_.egressFrom.empty())
    line(fmt::format("ip saddr {} ip daddr != {} masquerade", options_.egressFrom, braced(options_.egressExcept)));
  text += " }\n";
  return text;
}

std::string NftRuleset::addChains() const {
  std::string text = fmt::format("table ip {} {{\n", options_.table);
  for (const auto& shape : shapes) text.append(" ").append(shape.declaration).append("\n");
  text += vipSets;
  text += fixedRules();
  text += fmt::format(" chain {} {{ }}\n", ownChains().front());
  for (const auto& chain : chains_)
    text += fmt::format(" chain {} {{ {}; }}\n", chain, fmt::join(chainRules(chain), "; "));
  return text + "}\n";
}

std::string NftRuleset::addElements() const {
  std::string text;
  for (const auto& [set, elements] : sets_) {
    if (elements.empty()) continue;
    text += fmt::format("add element ip {} {} {{ ", options_.table, set);
    bool first = true;
    for (const auto& [key, value] : elements) {
      if (!first) text += ", ";
      first = false;
      text += key;
      if (!value.empty()) text.append(" : ").append(value);
    }
    text += " }\n";
  }
  return text;
}

std::string NftRuleset::fullText() const {
  return fmt::format("add table ip {0}\ndelete table ip {0}\n", options_.table) + addChains() + addElements();
}

std::vector<std::string> NftRuleset::ownChains() const {
  std::string rules = fixedRules();
  for (const auto& shape : shapes) rules += shape.declaration;
  for (const auto* name : {"lb1", "nlb1", "aff1"}) rules += fmt::format("{}", fmt::join(chainRules(name), ";"));
  std::vector<std::string> out{fmt::format("rules_{:08x}", hash32(rules))};
  for (const auto& chain : chains_)
    if (chain.starts_with("aff")) out.push_back(chain);
  return out;
}

std::string NftRuleset::reloadText() const {
  std::string text;
  for (const auto& shape : shapes)
    text += fmt::format("flush {} ip {} {}\n", shape.declaration.substr(0, 3), options_.table, shape.name);
  for (const auto* set : {"vips", "extmasq"}) text += fmt::format("flush set ip {} {}\n", options_.table, set);
  return text + addElements();
}

std::string NftRuleset::diffCommands(const NftRuleset& before, const NftRuleset& after) {
  const std::string& table = after.options_.table;
  std::string gone, come;
  for (const auto& [set, wanted] : after.sets_) {
    const Elements& had = before.elements(set);
    for (const auto& [key, value] : had)
      if (const auto it = wanted.find(key); it == wanted.end() || it->second != value)
        gone += fmt::format("delete element ip {} {} {{ {} }}\n", table, set, key);
    for (const auto& [key, value] : wanted)
      if (const auto it = had.find(key); it == had.end() || it->second != value)
        come += fmt::format("add element ip {} {} {{ {}{}{} }}\n", table, set, key, value.empty() ? "" : " : ", value);
  }
  return gone + come;
}

std::vector<NftRuleset::Stale> NftRuleset::staleAfter(const NftRuleset& before, const NftRuleset& after) {
  std::vector<Stale> out;
  std::set_difference(before.facts_.begin(), before.facts_.end(), after.facts_.begin(), after.facts_.end(),
                      std::back_inserter(out));
  return out;
}

}  // namespace steer
