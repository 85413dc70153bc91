#pragma once
// JoinToken: what a machine needs to join a cluster, in one word:
// steer1.<sha256 of the CA certificate's DER, hex>.<secret>. The hash lets it trust the right server
// without a file. Thread rule: plain values. The text is a secret: it never reaches logs.
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

struct JoinToken {
  std::string caHash;  ///< 64 lower-case hex digits
  std::string secret;  ///< letters and digits

  std::string text() const { return "steer1." + caHash + "." + secret; }
  /// Errors: invalid; the message does not quote the token.
  static Result<JoinToken> parse(std::string_view text);
};

}  // namespace steer
