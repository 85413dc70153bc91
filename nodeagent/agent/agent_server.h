#pragma once
// AgentServer: what only the node knows (container logs), over HTTPS, for the API server alone. The
// caller must show a client certificate of the cluster's CA with the name steersman-apiserver; the agent shows one that
// the cluster signed for its node. Until it has that one, it shows a self-made one, which nobody believes.
// Thread rule: start and destroy from one thread; requests run on threads of the server.
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace steer {

/// The only user that may ask.
inline constexpr const char* kApiServerUser = "steersman-apiserver";

class AgentServer {
 public:
  struct Options {
    std::string address;  ///< where to listen
    int port = 10250;     ///< 0 = any
    std::string caPem;    ///< of the cluster
    std::string logRoot;  ///< the folder of log_files.h
  };
  /// Whether a container may still write to its log. Called from any thread.
  using IsRunning = std::function<bool(const std::string& podUid, const std::string& container)>;

  static Result<std::unique_ptr<AgentServer>> start(Options options, IsRunning isRunning, Time now);
  ~AgentServer();
  int port() const;
  /// What callers see from now on. PEM texts. Errors: internal, and nothing changes.
  Result<void> serve(const std::string& certificatePem, const std::string& keyPem);

 private:
  struct State;
  explicit AgentServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer
