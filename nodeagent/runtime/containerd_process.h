#pragma once
// ContainerdProcess: a containerd of the node's own, as a supervised child: its configuration, its
// start, its restart after a crash, its adoption by a restarted agent. Containers do not depend on
// it: their shims go on while it is away. Runs in the caller's network namespace.
// Thread rule: one owner; a thread of its own watches the process.
// Failure rule: start() fails when it does not answer in time; later crashes are restarted with back-off.
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace steer {

struct ContainerdOptions {
  std::string dir;  ///< of the node; content, state and configuration live below
  std::string tag;  ///< short and unique on this machine: the socket lives in /run/steersman/<tag>
  std::string pauseImage = "registry.local/pause:1";
  std::string cniBinDir;  ///< empty = the first of /usr/lib/cni, /opt/cni/bin that exists
  Duration patience = seconds(20);
};

class ContainerdProcess {
 public:
  /// Adopts the one that an earlier agent of this node left running, or starts one.
  static Result<std::unique_ptr<ContainerdProcess>> start(ContainerdOptions options);
  /// Leaves it running.
  ~ContainerdProcess();

  const std::string& socket() const;
  std::string cniConfDir() const;
  std::string cniStateDir() const;
  /// Ends it, then removes what it left: mounts below the node's directory and its socket. Call
  /// after all pods were removed.
  void stop();

  /// Imports every *.tar of the folder that is not there yet. Errors: io, unavailable.
  Result<void> importImages(const std::string& folder);

 private:
  struct State;
  explicit ContainerdProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The configuration file's text (TOML, version 2).
std::string containerdConfig(const ContainerdOptions& options, const std::string& runDir);

}  // namespace steer
