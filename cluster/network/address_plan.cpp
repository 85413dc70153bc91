#include "cluster/network/address_plan.h"

#include <algorithm>
#include <cstdint>

namespace steer {
namespace {

constexpr unsigned plans = 64;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

AddressPlan planAt(std::string_view seed, std::uint64_t index) {
  const std::uint64_t hash = fnv1a(seed);
  AddressPlan plan;
  for (unsigned shift = 0; shift < 24; shift += 4) plan.tag += "0123456789abcdef"[hash >> (shift + 8) & 15];
  const auto k = static_cast<std::uint32_t>(index % plans);
  plan.nodeSubnet = {0xac1f0000u + (k << 8), 24};            // 172.31.k.0
  plan.podCidr = {0x0a000000u + ((64 + k) << 16), 16};       // 10.(64+k).0.0
  plan.serviceCidr = {0x0a000000u + ((128 + k) << 16), 16};  // 10.(128+k).0.0
  return plan;
}

}  // namespace

AddressPlan AddressPlan::of(std::string_view seed) { return planAt(seed, fnv1a(seed)); }

Result<AddressPlan> AddressPlan::pickFree(std::string_view seed, std::span<const Cidr> inUse) {
  const std::uint64_t start = fnv1a(seed) % plans;
  for (unsigned i = 0; i < plans; ++i) {
    AddressPlan plan = planAt(seed, start + i);
    if (std::none_of(inUse.begin(), inUse.end(), [&](const Cidr& range) { return plan.overlaps(range); })) return plan;
  }
  return makeError(Errc::unavailable,
                   "every address plan (172.31.k.0/24, 10.64+k.0.0/16, 10.128+k.0.0/16) clashes with this machine's "
                   "interfaces or routes");
}

bool AddressPlan::overlaps(const Cidr& range) const {
  return nodeSubnet.overlaps(range) || podCidr.overlaps(range) || serviceCidr.overlaps(range);
}

json::object AddressPlan::toJson() const {
  return {{"tag", tag},
          {"nodeSubnet", nodeSubnet.text()},
          {"podCIDR", podCidr.text()},
          {"serviceCIDR", serviceCidr.text()}};
}

Result<AddressPlan> AddressPlan::fromJson(const json::value& v) {
  AddressPlan plan;
  plan.tag = stringAt(v, {"tag"});
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (plan.tag.size() != 6 || !std::all_of(plan.tag.begin(), plan.tag.end(), hex))
    return makeError(Errc::invalid, "address plan: tag must be six hex digits");
  const auto read = [&v](std::string_view key, unsigned prefix, Cidr& into) {
    const auto cidr = Cidr::parse(stringAt(v, {key}));
    if (cidr) into = *cidr;
    return cidr && cidr->prefix == prefix;
  };
  if (!read("nodeSubnet", 24, plan.nodeSubnet) || !read("podCIDR", 16, plan.podCidr) ||
      !read("serviceCIDR", 16, plan.serviceCidr))
    return makeError(Errc::invalid, "address plan: nodeSubnet must be a /24, podCIDR and serviceCIDR a /16");
  return plan;
}

}  // namespace steer
