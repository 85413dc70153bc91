#include "cluster/network/cidr.h"

#include <charconv>

namespace steer {

std::optional<std::uint32_t> parseIpv4(std::string_view text) {
  std::uint32_t address = 0;
  const char* at = text.data();
  const char* end = at + text.size();
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at == end || *at++ != '.')) return std::nullopt;
    unsigned value = 0;
    const auto [next, ec] = std::from_chars(at, end, value);
    if (ec != std::errc{} || value > 255 || next - at > 3) return std::nullopt;
    address = address << 8 | value;
    at = next;
  }
  if (at != end) return std::nullopt;
  return address;
}

std::string ipv4Text(std::uint32_t a) {
  return std::to_string(a >> 24) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 8 & 255) + "." +
         std::to_string(a & 255);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  Cidr cidr;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto tail = text.substr(slash + 1);
    const auto [next, ec] = std::from_chars(tail.data(), tail.data() + tail.size(), cidr.prefix);
    if (ec != std::errc{} || next != tail.data() + tail.size() || cidr.prefix > 32) return std::nullopt;
  }
  const auto address = parseIpv4(text.substr(0, slash));
  if (!address) return std::nullopt;
  cidr.base = *address & cidr.mask();
  return cidr;
}

std::string Cidr::text() const { return ipv4Text(base) + "/" + std::to_string(prefix); }

}  // namespace steer
