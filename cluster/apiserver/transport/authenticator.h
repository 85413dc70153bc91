#pragma once
// Authenticator: who sends this request. A client certificate of the cluster's CA (CN = user,
// O = groups), a bearer token (of this server's file, or a service account's), or nobody (system:anonymous). Thread
// rule: thread-safe.
#include <functional>
#include <optional>
#include <string>

#include "cluster/apiserver/transport/token_file.h"
#include "core/result.h"
#include "net/http/message.h"

namespace steer {

class Authenticator {
 public:
  /// Who shows a JSON Web Token. Errors: unauthorized.
  using WebTokens = std::function<Result<Identity>(const std::string& token)>;
  /// `tokens` must outlive it.
  Authenticator(const TokenFile& tokens, std::string caHash, WebTokens webTokens = {})
      : tokens_(tokens), caHash_(std::move(caHash)), webTokens_(std::move(webTokens)) {}

  /// `certificate`: the verified client certificate, if one was shown; it wins over a token.
  /// Errors: unauthorized when a token was shown that is not known here.
  Result<Identity> identify(const std::optional<Identity>& certificate, const std::string& authorization) const;
  /// The same as a value for a server, which must not outlive it.
  auto identifier() const {
    return [this](const std::optional<Identity>& certificate, const std::string& authorization) {
      return identify(certificate, authorization);
    };
  }

 private:
  const TokenFile& tokens_;
  std::string caHash_;
  WebTokens webTokens_;
};

}  // namespace steer
