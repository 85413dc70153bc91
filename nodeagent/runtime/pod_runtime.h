#pragma once
// PodRuntime: the door to whatever runs pods. Calls block until done or until their deadline, so the
// agent makes them on an Executor. Thread rule: thread-safe.
// Failure rule: Errc::unavailable and Errc::timeout mean "try again"; notFound for unknown images
// and containers (removing or stopping what is gone succeeds); others carry the runtime's text.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/result.h"
#include "nodeagent/pod/image_collection.h"
#include "nodeagent/pod/probe_values.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

struct RuntimeVersion {
  std::string name;        ///< "containerd"
  std::string version;     ///< "1.6.20"
  std::string apiVersion;  ///< "v1"
};

struct ExecResult {
  int exitCode = 0;
  std::string output;  ///< standard output, then standard error
};

class PodRuntime {
 public:
  virtual ~PodRuntime() = default;

  virtual Result<RuntimeVersion> version() = 0;
  /// Every sandbox and container with this node's label. Cheap: exit codes, addresses and times of
  /// start may be missing; phases, ids and identity are there.
  virtual Result<PodRuntimeState> list() = 0;
  /// All there is to know of one pod.
  virtual Result<PodRuntimeState> observe(const std::string& podUid) = 0;

  virtual Result<std::string> runSandbox(const SandboxConfig& config) = 0;
  virtual Result<void> stopSandbox(const std::string& id) = 0;
  /// Also removes its containers.
  virtual Result<void> removeSandbox(const std::string& id) = 0;

  virtual Result<std::string> createContainer(const std::string& sandboxId, const ContainerConfig& config,
                                              const SandboxConfig& sandbox) = 0;
  virtual Result<void> startContainer(const std::string& id) = 0;
  /// Asks it to end and kills it after the grace; 0 kills at once. Returns when it has ended.
  virtual Result<void> stopContainer(const std::string& id, seconds grace) = 0;
  virtual Result<void> removeContainer(const std::string& id) = 0;
  virtual Result<void> reopenLog(const std::string& containerId) = 0;
  virtual Result<ExecResult> execSync(const std::string& containerId, const std::vector<std::string>& command,
                                      Duration timeout) = 0;
  /// Performs a probe or hook. Never fails: a check that cannot be made is an unsuccessful one.
  virtual CheckOutcome check(const CheckRequest& request) = 0;

  /// Nothing when the image is not there.
  virtual Result<std::optional<ImageInfo>> imageStatus(const std::string& image) = 0;
  /// The reference to create containers with.
  virtual Result<std::string> pullImage(const std::string& image, const std::optional<ImageAuth>& auth) = 0;
  virtual Result<std::vector<ImageInfo>> listImages() = 0;
  /// What containers were made of, whoever made them.
  virtual Result<std::set<std::string>> imageReferencesInUse() = 0;
  virtual Result<DiskUse> imageDisk() = 0;
  virtual Result<void> removeImage(const std::string& image) = 0;

  /// Called when something started or ended; list() tells what.
  virtual void setWaker(Waker waker) = 0;
  /// Calls under way return soon with Errc::cancelled; later calls work.
  virtual void interrupt() {}
  /// When a simulated runtime will change by itself; nothing for a real one.
  virtual std::optional<Time> nextChange() const { return std::nullopt; }
};

}  // namespace steer
