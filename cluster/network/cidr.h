#pragma once
// IPv4 ranges as values. Thread rule: plain values. Failure rule: parse answers nothing for text
// that is not an address or range.
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

/// Dotted text as a host-order number.
std::optional<std::uint32_t> parseIpv4(std::string_view text);
std::string ipv4Text(std::uint32_t address);

struct Cidr {
  std::uint32_t base = 0;  ///< host order, host bits cleared
  unsigned prefix = 32;

  /// "10.1.2.0/24"; a bare address is a /32. Host bits are cleared.
  static std::optional<Cidr> parse(std::string_view text);
  std::string text() const;
  std::uint32_t mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }
  bool contains(std::uint32_t address) const { return (address & mask()) == base; }
  bool overlaps(const Cidr& other) const { return prefix < other.prefix ? contains(other.base) : other.contains(base); }
  /// The n-th address of the range; 0 is the network's own.
  std::string address(std::uint32_t n) const { return ipv4Text(base + n); }
  auto operator<=>(const Cidr&) const = default;
};

}  // namespace steer
