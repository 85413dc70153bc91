#include "cluster/client/join_token.h"

#include <algorithm>

namespace steer {

Result<JoinToken> JoinToken::parse(std::string_view text) {
  const auto malformed = [] {
    return makeError(Errc::invalid, "the token is malformed: expected steer1.<hash>.<secret> as the server printed it");
  };
  constexpr std::string_view kStart = "steer1.";
  if (!text.starts_with(kStart)) return malformed();
  text.remove_prefix(kStart.size());
  const auto dot = text.find('.');
  if (dot != 64 || text.size() < dot + 9) return malformed();
  JoinToken out{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
  const auto isHex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const auto isWord = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!std::all_of(out.caHash.begin(), out.caHash.end(), isHex)) return malformed();
  if (!std::all_of(out.secret.begin(), out.secret.end(), isWord)) return malformed();
  return out;
}

}  // namespace steer
