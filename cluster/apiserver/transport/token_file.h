#pragma once
// TokenFile: the bearer tokens that a server accepts, in a file of mode 0600 with one line each:
// "<secret> <user> <group>,<group> <end>", the end (RFC 3339) only where there is one. Thread rule: thread-safe.
// Failure rule: io with the path; the secrets never reach messages.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/sync.h"
#include "net/http/message.h"

namespace steer {

class TokenFile {
 public:
  /// A missing file is an empty one.
  static Result<std::unique_ptr<TokenFile>> open(std::string path);

  /// The secret of this user, made and written when there is none yet.
  Result<std::string> secretFor(const std::string& user, const std::vector<std::string>& groups);
  /// A secret that is good until `until`: the one that is there, when it is good for half of that time yet.
  Result<std::string> temporarySecretFor(const std::string& user, const std::vector<std::string>& groups, Time now,
                                         Time until);
  /// Nothing for one that has ended.
  std::optional<Identity> find(const std::string& secret, Time now = SystemClock().now()) const;

 private:
  struct Entry {
    std::string secret;
    Identity identity;
    std::optional<Time> until{};
  };
  using Entries = std::map<std::string, Entry>;
  Result<std::string> add(Entries& entries, Entry fresh) const;
  explicit TokenFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  Sync<Entries> byHash_;  ///< by the hash, so that a look-up's time tells nothing
};

}  // namespace steer
