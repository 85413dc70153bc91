#pragma once
// RemoteAccess: how a remote is reached: address, credentials for its host only, known hosts, and
// the time a transfer may take. Thread rule: an immutable value; a session has one user.
// Failure rule: errors name their kind as first cause: RemoteGone, AuthenticationFailed,
// HostKeyRefused, Timeout.
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "reconciler/git/remote_url.h"

extern "C" {
struct git_remote_callbacks;
}

namespace steer {

struct RemoteCredentials {
  std::string sshKeyFile;        ///< private key; no agent is asked
  std::string sshKeyPassphrase;  ///< empty = none
  std::string knownHostsFile;    ///< empty = ~/.ssh/known_hosts
  std::string username;          ///< https; the URL's wins
  std::string passwordFile;      ///< https password or token, read at each use
};

class RemoteAccess {
 public:
  RemoteAccess(RemoteUrl url, RemoteCredentials credentials, Duration timeout)
      : url_(std::move(url)), credentials_(std::move(credentials)), timeout_(timeout) {}

  const RemoteUrl& url() const { return url_; }

  /// One conversation with the remote: fills libgit2's callbacks, which point into it, and
  /// remembers why they refused.
  class Session {
   public:
    explicit Session(const RemoteAccess& access);
    void install(git_remote_callbacks& callbacks);
    /// The refusal that a callback noted, if any, else libgit2's own error.
    Error explain(int rc, const std::string& doing) const;

    struct State;

   private:
    std::shared_ptr<State> state_;
  };

 private:
  friend struct Session::State;
  RemoteUrl url_;
  RemoteCredentials credentials_;
  Duration timeout_;
};

}  // namespace steer
