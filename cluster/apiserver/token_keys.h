#pragma once
// TokenKeys: the key that signs service accounts' tokens: JSON Web Tokens (RFC 7519) with ES256 (RFC 7518, 3.4).
// Thread rule: immutable, thread-safe. Failure rule: errors name the step and never hold a token or a key.
#include <memory>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"

namespace steer {

class TokenKeys {
 public:
  /// A key of PEM text, as `newPem` makes it. Errors: invalid when it is no EC P-256 private key.
  static Result<std::shared_ptr<const TokenKeys>> fromPem(const std::string& pem);
  static Result<std::string> newPem();

  Result<std::string> sign(const json::object& claims) const;
  /// The claims of a token that this key signed. Errors: unauthorized.
  Result<json::object> verify(std::string_view token) const;
  /// The public half as a JSON Web Key Set (RFC 7517).
  json::object published() const;

  ~TokenKeys();
  TokenKeys(const TokenKeys&) = delete;
  TokenKeys& operator=(const TokenKeys&) = delete;

 private:
  struct State;
  explicit TokenKeys(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer
