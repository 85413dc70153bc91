#pragma once
// ControlPlane: store, API server, controllers, scheduler and HTTPS, joined and running. `steer up`
// and `steer server` are this plus nodes or not. Thread rule: start and stop from one thread.
// Failure rule: start() leaves nothing running when it fails.
#include <memory>
#include <string>
#include <vector>

#include "cli/cluster/data_dir.h"
#include "cluster/apiserver/admission/disabled_admission.h"
#include "cluster/apiserver/admission/pod_security.h"
#include "cluster/client/client.h"
#include "cluster/controllers/selection.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"

namespace steer::cli {

struct ControlPlaneOptions {
  DataDir dataDir;
  std::string listen = "127.0.0.1:6443";  ///< ADDR:PORT; port 0 = any free one
  std::vector<std::string> alsoListen{};  ///< further addresses, without port
  std::string podCidr = "10.244.0.0/16";
  std::string serviceCidr = "10.96.0.0/16";
  std::vector<std::string> allowedSources{};  ///< --allow-source
  bool acceptLoss = false;                    ///< --accept-loss: StoreOptions::LostEnd
  PodSecurityLevel podSecurityDefault = PodSecurityLevel::privileged;
  ControllerSelection controllers{};      ///< --controllers
  DisabledAdmission disabledAdmission{};  ///< --disable-admission-plugins
};

class ControlPlane {
 public:
  static Result<std::unique_ptr<ControlPlane>> start(const ControlPlaneOptions& options, const Clock& clock,
                                                     Random& random);
  ~ControlPlane();

  /// In process, as administrator.
  Client& client();
  /// "https://127.0.0.1:6443".
  std::string url() const;
  int port() const;
  /// Token by which a machine asks for its node's certificate, for a day. With a node name: for this node alone.
  Result<std::string> agentToken(const std::string& nodeName);

 private:
  struct State;
  Result<void> writeAgentToken(const DataDir& dir);
  explicit ControlPlane(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer::cli
