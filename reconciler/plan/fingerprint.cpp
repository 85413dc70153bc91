#include "reconciler/plan/fingerprint.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <exception>

#include "diff/object_diff.h"

namespace steer {
namespace {

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

std::string hexOf(const unsigned char* bytes, std::size_t size) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4U];
    out += digits[bytes[i] & 15U];
  }
  return out;
}

void maskMembers(json::object& object, std::string_view key) {
  auto* member = object.if_contains(jkey(key));
  if (member == nullptr) return;
  if (auto* members = member->if_object())
    for (auto& each : *members) each.value() = kMasked;
  else *member = kMasked;
}

}  // namespace

Fingerprint& Fingerprint::add(std::string_view text) {
  all_ += std::to_string(text.size()) + ":";
  all_ += text;
  return *this;
}

std::string Fingerprint::hex() const {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(all_.data()), all_.size(), digest.data());
  return hexOf(digest.data(), digest.size());
}

std::string slowHash(std::string_view salt, std::string_view text) {
  std::array<unsigned char, 32> key{};
  constexpr std::uint64_t memory = 64UL * 1024 * 1024;
  if (EVP_PBE_scrypt(text.data(), text.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), 16384,
                     8, 1, memory, key.data(), key.size()) != 1)
    std::terminate();  // out of memory; an empty hash would match another empty hash
  return hexOf(key.data(), key.size());
}

bool isSecret(const json::object& object) { return stringAt(object, {"kind"}) == "Secret"; }

json::object withoutSecrets(const json::object& object) {
  json::object out = object;
  if (!isSecret(object)) return out;
  maskMembers(out, "data");
  maskMembers(out, "stringData");
  auto* meta = out.if_contains("metadata");
  auto* annotations = meta == nullptr || !meta->is_object() ? nullptr : meta->get_object().if_contains("annotations");
  if (annotations != nullptr && annotations->is_object())
    if (auto* copy = annotations->get_object().if_contains(kLastApplied)) *copy = kMasked;
  return out;
}

}  // namespace steer
