#include "cluster/apiserver/secret_text.h"

namespace steer {

std::string base64Text(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kAlphabet[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

void foldStringData(json::object& secret) {
  const auto* plain = secret.if_contains("stringData");
  if (plain == nullptr) return;
  if (const auto* entries = plain->if_object()) {
    json::object folded = objectAt(secret, {"data"});
    for (const auto& [key, value] : *entries)
      if (const auto* text = value.if_string()) folded[key] = base64Text(view(*text));
    if (!folded.empty()) secret["data"] = std::move(folded);
  }
  secret.erase("stringData");
}

}  // namespace steer
