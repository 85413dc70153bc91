#include "cluster/apiserver/transport/authenticator.h"

#include <algorithm>

#include "cluster/client/join_token.h"

namespace steer {
namespace {

Identity authenticated(Identity who) {
  const std::string group = "system:authenticated";
  if (std::find(who.groups.begin(), who.groups.end(), group) == who.groups.end()) who.groups.push_back(group);
  return who;
}

}  // namespace

Result<Identity> Authenticator::identify(const std::optional<Identity>& certificate,
                                         const std::string& authorization) const {
  if (certificate) return authenticated(*certificate);
  if (authorization.empty()) return Identity{"system:anonymous", {"system:unauthenticated"}};
  constexpr std::string_view kScheme = "bearer ";
  std::string scheme = authorization.substr(0, kScheme.size());
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (scheme != kScheme) return makeError(Errc::unauthorized, "only bearer tokens are accepted");
  std::string secret = authorization.substr(kScheme.size());
  // Every JSON Web Token begins with the encoding of `{"`.
  if (webTokens_ && secret.starts_with("eyJ")) {
    STEER_TRY(auto who, webTokens_(secret));
    return authenticated(std::move(who));
  }
  if (auto token = JoinToken::parse(secret); token.ok()) {
    if (token->caHash != caHash_) return makeError(Errc::unauthorized, "the token belongs to another cluster");
    secret = token->secret;
  }
  auto found = tokens_.find(secret);
  if (!found) return makeError(Errc::unauthorized, "the token is not known to this cluster");
  return authenticated(std::move(*found));
}

}  // namespace steer
