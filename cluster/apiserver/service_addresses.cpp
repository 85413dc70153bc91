#include "cluster/apiserver/service_addresses.h"

#include <charconv>
#include <set>

namespace steer {
namespace {

constexpr int kTries = 64;

std::string keyOf(const Object& service) { return service.ns() + "/" + service.name(); }

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
  bool taken = false;
  view.scan("services", "", "", [&](const ObjectPtr& service) {
    taken = stringAt(service->spec(), {"clusterIP"}) == address && keyOf(*service) != self;
    return !taken;
  });
  return taken;
}

Result<std::string> chooseClusterIp(const Snapshot& view, const AddressRange& range, Random& random) {
  std::set<std::uint32_t> taken{range.base, range.base + 1, range.base + range.size - 1};
  view.each("services", "", [&](const ObjectPtr& service) {
    if (const auto ip = parseIpv4(stringAt(service->spec(), {"clusterIP"}))) taken.insert(*ip);
  });
  // The low part (at most 256 addresses) is left to those who choose for themselves.
  const std::uint32_t low = std::min<std::uint32_t>(256, range.size / 16);
  for (int i = 0; i < kTries && range.size > low + 1; ++i) {
    const auto candidate = range.base + low + static_cast<std::uint32_t>(random.below(range.size - low));
    if (!taken.contains(candidate)) return ipv4Text(candidate);
  }
  for (std::uint32_t offset = range.size; offset-- > 0;)
    if (!taken.contains(range.base + offset)) return ipv4Text(range.base + offset);
  return makeError(Errc::internal, "failed to allocate a service IP: range is full");
}

bool nodePortTaken(const Snapshot& view, int port, std::string_view protocol, std::string_view self) {
  bool taken = false;
  view.scan("services", "", "", [&](const ObjectPtr& service) {
    if (keyOf(*service) == self) return true;
    for (const auto& item : arrayAt(service->spec(), {"ports"}))
      taken = taken || (intAt(item, {"nodePort"}) == port && protocolOf(item) == protocol);
    taken = taken || intAt(service->spec(), {"healthCheckNodePort"}) == port;
    return !taken;
  });
  return taken;
}

Result<int> chooseNodePort(const Snapshot& view, int min, int max, std::string_view protocol, const json::object& self,
                           Random& random) {
  std::set<std::int64_t> taken;
  const auto note = [&](const json::object& spec) {
    for (const auto& item : arrayAt(spec, {"ports"}))
      if (protocolOf(item) == protocol) taken.insert(intAt(item, {"nodePort"}));
    taken.insert(intAt(spec, {"healthCheckNodePort"}));
  };
  view.each("services", "", [&](const ObjectPtr& service) { note(service->spec()); });
  note(objectAt(self, {"spec"}));
  const auto span = static_cast<std::uint64_t>(max - min + 1);
  for (int i = 0; i < kTries; ++i) {
    const int candidate = min + static_cast<int>(random.below(span));
    if (!taken.contains(candidate)) return candidate;
  }
  for (int port = min; port <= max; ++port)
    if (!taken.contains(port)) return port;
  return makeError(Errc::internal, "failed to allocate a nodePort: range is full");
}

}  // namespace steer
