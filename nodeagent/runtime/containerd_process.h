#pragma once
// ContainerdProcess: a containerd of the node's own, as a supervised child: its configuration, its
// start, its restart after a crash, its adoption by a restarted agent. Containers do not depend on
// it: their shims go on while it is away. Runs in the caller's network namespace.
// Thread rule: one owner; a thread of its own watches the process.
// Failure rule: start() fails when it does not answer in time; later crashes are restarted with back-off.
#include <sys/types.h>

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
  /// The control group of this node's pods, such as "/steer/demo"; stop() empties and removes it. Empty = left alone.
  std::string cgroup;
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
  /// Its process id while it runs, 0 while it is away.
  pid_t pid() const;
  /// Ends it, then removes what pods left: shims, their control group, mounts below the node's
  /// directory, and the socket. Call after all pods were removed. The error names what is still there.
  Result<void> stop();

  /// Imports the image archives (*.tar, OCI layout) of a folder whose names are not there with the same
  /// digest. Errors: notFound, invalid, internal.
  Result<void> importImages(const std::string& folder);

 private:
  struct State;
  explicit ContainerdProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The configuration file's text (TOML, version 2).
std::string containerdConfig(const ContainerdOptions& options, const std::string& runDir);

}  // namespace steer
