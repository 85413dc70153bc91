#pragma once
// ServiceAccountTokens: the tokens that pods' volumes show, asked of the API server (TokenRequest) in the name of the
// pod's service account, bound to the pod, and renewed when four fifths of their life are over.
// Thread rule: thread-safe. Failure rule: a token that cannot be renewed is shown until it ends; the error never
// holds a token.
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "core/sync.h"
#include "nodeagent/pod/api_access.h"

namespace steer {

class ServiceAccountTokens {
 public:
  ServiceAccountTokens(Client& client, const Clock& clock) : client_(client), clock_(clock) {}

  Result<std::string> tokenFor(const Object& pod, const TokenWish& wish);
  void forget(const std::string& podUid);

 private:
  struct Token {
    std::string text;
    Time renewAt{};
    Time end{};
    std::optional<Error> failure{};  ///< of the last try; asked again at renewAt
  };
  using Key = std::pair<std::string, TokenWish>;  ///< pod uid
  Result<Token> request(const Object& pod, const TokenWish& wish, Time now);

  Client& client_;
  const Clock& clock_;
  Sync<std::map<Key, Token>> tokens_;
};

}  // namespace steer
