#pragma once
// References: the config maps, secrets and services that pods name, read by name and kept for a
// short while. When the server cannot be reached, what was read last is used.
// Thread rule: thread-safe.
#include <map>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "core/sync.h"
#include "nodeagent/agent/service_account_tokens.h"
#include "nodeagent/pod/environment.h"

namespace steer {

class References {
 public:
  References(Client& client, const Clock& clock, Duration maxAge)
      : client_(client), clock_(clock), maxAge_(maxAge), tokens_(client, clock) {}

  /// Everything the pod's volumes and environment name. Errors: unavailable when something was never
  /// read and the server does not answer. Missing objects are no error here.
  Result<PodReferences> forPod(const Object& pod);
  /// The pod's image pull secrets that exist.
  Result<std::vector<ObjectPtr>> pullSecrets(const Object& pod);
  /// The services the pod's environment shows.
  Result<std::vector<ObjectPtr>> services(const std::string& ns);
  /// The pod is gone: its tokens are not needed any more.
  void forgetPod(const std::string& uid) { tokens_.forget(uid); }
  /// Forgets what no pod asked for since the last call.
  void forgetUnused();

 private:
  struct Entry {
    ObjectPtr object;  ///< null = it does not exist
    std::vector<ObjectPtr> list;
    Time readAt{};
    bool used = true;
  };
  Result<ObjectPtr> get(const ObjectRef& ref);

  Client& client_;
  const Clock& clock_;
  Duration maxAge_;
  ServiceAccountTokens tokens_;
  /// The server did not answer a moment ago: what is known is used without asking.
  bool serverAway(Time now) const {
    return awayUntil_.with([&](Time until) { return now < until; });
  }
  void noteAnswer(const Error& error, Time now);

  Sync<std::map<ObjectRef, Entry>> entries_;
  Sync<Time> awayUntil_;
};

/// Names of the config maps and secrets in the pod's specification. Pure.
std::vector<ObjectRef> referencesIn(const Object& pod);

}  // namespace steer
