#pragma once
// Fingerprints of what a plan rests on. Contents are hashed with SHA-256; contents that hold secrets
// only with the slow, salted hash, because a password of eight letters is found behind a fast one.
// Pure functions.
#include <string>
#include <string_view>

#include "core/json.h"

namespace steer {

/// SHA-256 over a sequence of texts; {"ab", "c"} and {"a", "bc"} differ.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view text);
  /// Lower-case hex.
  std::string hex() const;

 private:
  std::string all_;
};

/// scrypt (N 16384, r 8, p 1), about a twentieth of a second; hex.
std::string slowHash(std::string_view salt, std::string_view text);

/// The object with every value of a Secret replaced by the mask; other kinds as they are.
json::object withoutSecrets(const json::object& object);
bool isSecret(const json::object& object);

}  // namespace steer
