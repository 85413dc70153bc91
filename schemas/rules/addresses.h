#pragma once
// Addresses and address ranges in objects. Pure.
#include <array>
#include <optional>
#include <string_view>

#include "schemas/rules.h"

namespace steer {

struct IpPrefix {
  std::array<unsigned char, 16> bytes{};
  unsigned size = 4;  ///< of the address, bytes
  unsigned prefix = 0;

  bool contains(const IpPrefix& other) const;
};

std::optional<IpPrefix> prefixOf(std::string_view text);
bool isAddress(std::string_view text);
bool isIpv6(std::string_view address);
NameProblem checkCidr(std::string_view text);
/// An address that endpoints may have: neither unspecified nor of the machine or link itself.
NameProblem checkEndpointAddress(std::string_view address);

}  // namespace steer
