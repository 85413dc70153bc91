#include "schemas/rules/addresses.h"

#include <arpa/inet.h>

#include <charconv>
#include <string>

#include "schemas/rules/reading.h"

namespace steer {

bool IpPrefix::contains(const IpPrefix& other) const {
  if (size != other.size || other.prefix < prefix) return false;
  for (unsigned bit = 0; bit < prefix; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    if (((bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<IpPrefix> prefixOf(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string address(text.substr(0, slash));
  const auto length = text.substr(slash + 1);
  IpPrefix out;
  out.size = address.find(':') == std::string::npos ? 4 : 16;
  if (::inet_pton(out.size == 4 ? AF_INET : AF_INET6, address.c_str(), out.bytes.data()) != 1) return std::nullopt;
  const auto [end, ec] = std::from_chars(length.data(), length.data() + length.size(), out.prefix);
  if (ec != std::errc{} || end != length.data() + length.size() || out.prefix > out.size * 8) return std::nullopt;
  return out;
}

bool isAddress(std::string_view text) { return !checkAddress(text); }

bool isIpv6(std::string_view address) { return address.find(':') != std::string_view::npos; }

NameProblem checkCidr(std::string_view text) {
  if (prefixOf(text)) return std::nullopt;
  return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
}

NameProblem checkEndpointAddress(std::string_view address) {
  if (auto problem = checkAddress(address)) return problem;
  if (address == "0.0.0.0" || address == "::") return "may not be unspecified (" + std::string(address) + ")";
  const auto inside = [&](const char* range) {
    const auto one = prefixOf(std::string(address) + (isIpv6(address) ? "/128" : "/32"));
    return one && prefixOf(range)->contains(*one);
  };
  for (const auto& [range, what] : {std::pair{"127.0.0.0/8", "loopback range (127.0.0.0/8, ::1/128)"},
                                    std::pair{"::1/128", "loopback range (127.0.0.0/8, ::1/128)"},
                                    std::pair{"169.254.0.0/16", "link-local range (169.254.0.0/16, fe80::/10)"},
                                    std::pair{"fe80::/10", "link-local range (169.254.0.0/16, fe80::/10)"},
                                    std::pair{"224.0.0.0/24", "link-local multicast range (224.0.0.0/24, ff02::/10)"},
                                    std::pair{"ff02::/16", "link-local multicast range (224.0.0.0/24, ff02::/10)"}})
    if (inside(range)) return "may not be in the " + std::string(what);
  return std::nullopt;
}

}  // namespace steer
