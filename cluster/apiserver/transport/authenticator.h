#pragma once
// Authenticator: who sends this request. A client certificate of the cluster's CA (CN = user,
// O = groups), a bearer token, or nobody (system:anonymous). Thread rule: thread-safe.
#include <optional>
#include <string>

#include "cluster/apiserver/message.h"
#include "cluster/apiserver/transport/token_file.h"
#include "core/result.h"

namespace steer {

class Authenticator {
 public:
  /// `tokens` must outlive it.
  Authenticator(const TokenFile& tokens, std::string caHash) : tokens_(tokens), caHash_(std::move(caHash)) {}

  /// `certificate`: the verified client certificate, if one was shown; it wins over a token.
  /// Errors: unauthorized when a token was shown that is not known here.
  Result<Identity> identify(const std::optional<Identity>& certificate, const std::string& authorization) const;

 private:
  const TokenFile& tokens_;
  std::string caHash_;
};

}  // namespace steer
