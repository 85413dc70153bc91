#include "cluster/apiserver/service_addresses.h"

#include <charconv>
#include <set>

namespace steer {
namespace {

constexpr int kTries = 64;

std::string keyOf(const Object& service) { return service.ns() + "/" + service.name(); }

/// As core/snapshot.cpp finds what services claim.
constexpr const char* kAddress = ".spec.clusterIP";
constexpr const char* kPort = ".nodePort";

bool anotherHas(const Snapshot& view, std::string_view claim, std::string_view value, std::string_view self) {
  for (const auto& service : view.labelled("services", claim, value))
    if (keyOf(*service) != self) return true;
  return false;
}

std::string_view protocolOf(const json::value& port) { return stringAt(port, {"protocol"}, "TCP"); }

}  // namespace

std::string AddressRange::first() const { return ipv4Text(base + 1); }

AddressRange addressesOf(std::string_view cidr) {
  const auto slash = cidr.find('/');
  unsigned bits = 32;
  if (slash != cidr.npos) std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), bits);
  const std::uint32_t size = bits >= 32 ? 1U : bits == 0 ? 0xffffffffU : 1U << (32 - bits);
  return {parseIpv4(cidr.substr(0, slash)).value_or(0) & ~(size - 1), size};
}

bool clusterIpTaken(const Snapshot& view, std::string_view address, std::string_view self) {
  return anotherHas(view, kAddress, address, self);
}

Result<std::string> chooseClusterIp(const Snapshot& view, const AddressRange& range, Random& random) {
  // The low part (at most 256 addresses) is left to those who choose for themselves.
  const std::uint32_t low = std::min<std::uint32_t>(256, range.size / 16);
  const auto reserved = [&](std::uint32_t address) {
    return address == range.base || address == range.base + 1 || address == range.base + range.size - 1;
  };
  for (int i = 0; i < kTries && range.size > low + 1; ++i) {
    const auto candidate = range.base + low + static_cast<std::uint32_t>(random.below(range.size - low));
    if (reserved(candidate)) continue;
    auto text = ipv4Text(candidate);
    if (!clusterIpTaken(view, text, "")) return text;
  }
  // Nearly full: one look at all services is cheaper than one look for each address.
  std::set<std::uint32_t> taken;
  view.each("services", "", [&](const ObjectPtr& service) {
    if (const auto ip = parseIpv4(stringAt(service->spec(), {"clusterIP"}))) taken.insert(*ip);
  });
  for (std::uint32_t offset = range.size; offset-- > 0;)
    if (!reserved(range.base + offset) && !taken.contains(range.base + offset)) return ipv4Text(range.base + offset);
  return makeError(Errc::internal, "failed to allocate a service IP: range is full");
}

bool nodePortTaken(const Snapshot& view, int port, std::string_view protocol, std::string_view self) {
  const std::string number = "/" + std::to_string(port);
  return anotherHas(view, kPort, std::string(protocol) + number, self) || anotherHas(view, kPort, "*" + number, self);
}

Result<int> chooseNodePort(const Snapshot& view, int min, int max, std::string_view protocol, const json::object& self,
                           Random& random) {
  const auto& own = objectAt(self, {"spec"});
  const auto taken = [&](int port) {
    if (intAt(own, {"healthCheckNodePort"}) == port) return true;
    for (const auto& item : arrayAt(own, {"ports"}))
      if (protocolOf(item) == protocol && intAt(item, {"nodePort"}) == port) return true;
    return nodePortTaken(view, port, protocol, "");
  };
  const auto span = static_cast<std::uint64_t>(max - min + 1);
  for (int i = 0; i < kTries; ++i) {
    const int candidate = min + static_cast<int>(random.below(span));
    if (!taken(candidate)) return candidate;
  }
  for (int port = min; port <= max; ++port)
    if (!taken(port)) return port;
  return makeError(Errc::internal, "failed to allocate a nodePort: range is full");
}

}  // namespace steer
