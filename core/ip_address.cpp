#include "core/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace steer {
namespace {

using Bytes4 = std::array<unsigned char, 4>;
using Bytes16 = std::array<unsigned char, 16>;

bool isLocal(const unsigned char* b) { return b[0] == 0 || b[0] == 127 || (b[0] == 169 && b[1] == 254) || b[0] >= 224; }

bool isLocal(const Bytes16& b) {
  const auto zeros = [&](std::size_t n) {
    return std::all_of(b.begin(), b.begin() + static_cast<long>(n), [](auto x) { return x == 0; });
  };
  if (b[0] == 0xff || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)) return true;
  if (zeros(12)) return zeros(15) ? b[15] <= 1 : isLocal(b.data() + 12);
  if (zeros(10) && b[10] == 0xff && b[11] == 0xff) return isLocal(b.data() + 12);
  constexpr std::array<unsigned char, 4> kNat64{0x00, 0x64, 0xff, 0x9b};
  if (std::equal(kNat64.begin(), kNat64.end(), b.begin())) return isLocal(b.data() + 12);
  return b[0] == 0x20 && b[1] == 0x02 && isLocal(b.data() + 2);
}

}  // namespace

bool isIpAddress(std::string_view text) {
  Bytes16 bytes{};
  const std::string name(text);
  if (name.find('\0') != std::string::npos) return false;
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

bool isLocalAddress(std::string_view text) {
  const std::string name(text.substr(0, text.find('%')));
  Bytes4 four{};
  Bytes16 sixteen{};
  if (inet_pton(AF_INET, name.c_str(), four.data()) == 1) return isLocal(four.data());
  return inet_pton(AF_INET6, name.c_str(), sixteen.data()) != 1 || isLocal(sixteen);
}

std::string urlHostOf(std::string_view address) {
  const std::string text(address);
  return text.find(':') == std::string::npos ? text : "[" + text + "]";
}

}  // namespace steer
