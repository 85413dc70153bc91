#include "reconciler/git/key_kind.h"

#include <openssl/evp.h>

#include <string>
#include <vector>

namespace steer {

bool isRsaKey(std::string_view text) {
  if (text.find("-----BEGIN RSA PRIVATE KEY-----") != std::string_view::npos) return true;
  constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
  const auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) return false;
  // The public part, with the key's type in front, stands unencrypted within the first bytes.
  std::string base64;
  for (const char c : text.substr(begin + kBegin.size())) {
    if (c == '-' || base64.size() == 320) break;
    if (c != '\n' && c != '\r') base64 += c;
  }
  base64.resize(base64.size() / 4 * 4);
  std::vector<unsigned char> bytes(base64.size() + 3);
  const int n = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                static_cast<int>(base64.size()));
  if (n <= 0) return false;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(n));
  return head.find("ssh-rsa") != std::string_view::npos;
}

}  // namespace steer
