#pragma once
// RemoteAccess: how a remote is reached: address, credentials for its host only, known hosts, trusted
// authorities, and the time a transfer may take. Thread rule: an immutable value; a session has one user.
// Failure rule: errors name their kind as first cause: RemoteGone, RateLimited (with a retry time),
// Redirected, AuthenticationFailed, HostKeyRefused, TooLarge, Timeout.
#include <atomic>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "reconciler/git/interrupt.h"
#include "reconciler/git/remote_url.h"

extern "C" {
struct git_remote_callbacks;
}

namespace steer {

/// Where a remote may lead: anywhere, or into the network and never to this machine or its link.
enum class Reach { anywhere, network };

struct RemoteCredentials {
  std::string sshKeyFile;        ///< private key; no agent is asked
  std::string sshKeyPassphrase;  ///< empty = none
  std::string knownHostsFile;    ///< empty = ~/.ssh/known_hosts
  std::string username;          ///< https; the URL's wins
  std::string passwordFile;      ///< https password or token, read at each use
  std::string caFile{};          ///< https: the authorities to trust instead of the system's
  Reach reach = Reach::anywhere;
};

class RemoteAccess {
 public:
  RemoteAccess(RemoteUrl url, RemoteCredentials credentials, Duration timeout,
               std::shared_ptr<const Interrupt> interrupt = nullptr)
      : url_(std::move(url)),
        credentials_(std::move(credentials)),
        timeout_(timeout),
        interrupt_(std::move(interrupt)) {}

  const RemoteUrl& url() const { return url_; }
  const RemoteCredentials& credentials() const { return credentials_; }
  /// How long nothing may move.
  Duration timeout() const { return timeout_; }
  /// How long a whole conversation may take, moving or not.
  Duration longest() const { return timeout_ * 10; }
  /// What ends conversations early; may be null.
  const Interrupt* interrupt() const { return interrupt_.get(); }

  /// For the child process only: it holds the password of the address.
  json::object toJson() const;
  static Result<RemoteAccess> fromJson(const json::object& from);

  /// One conversation with the remote: fills libgit2's callbacks, which point into it, and
  /// remembers why they refused.
  class Session {
   public:
    explicit Session(const RemoteAccess& access);
    void install(git_remote_callbacks& callbacks);
    /// For a transport of ours, which libgit2 hands the callbacks' payload: whose conversation it is, and why it cannot
    /// go on. The number tells libgit2 to stop.
    static const RemoteAccess& accessOf(void* payload);
    static int noteRefusal(void* payload, Error error);
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
  std::shared_ptr<const Interrupt> interrupt_;
};

namespace git {
/// Counts whatever a conversation of this process moves; a watchdog looks at it.
std::atomic<std::uint64_t>& transferBeats();
/// Sets what this process trusts; nothing happens for "". Before the first conversation.
Result<void> trustAuthorities(const std::string& caFile);
}  // namespace git

}  // namespace steer
