#include "nodeagent/agent/pod_runner.h"

#include <filesystem>

#include "nodeagent/agent/log_files.h"
#include "nodeagent/agent/termination_message.h"
#include "nodeagent/pod/container_spec.h"
#include "nodeagent/pod/images.h"
#include "nodeagent/pod/probes.h"
#include "nodeagent/runtime/cgroups.h"

namespace steer {

namespace {

using Kind = PodAction::Kind;

/// A hook that outlasts its grace leaves the container this long to end.
constexpr seconds kLeastGrace{2};
constexpr minutes kPostStartLimit{10};

ActionOutcome failed(std::string reason, std::string message) {
  return {Setback{std::move(reason), std::move(message), {}, 1}, {}};
}

ActionOutcome outcomeOf(const Result<void>& result, const char* reason) {
  return result.ok() ? ActionOutcome{} : failed(reason, result.error().message);
}

std::string secondsText(Duration d) {
  const auto millis = d / milliseconds(1);
  return std::to_string(millis / 1000) + "." + std::to_string(millis % 1000 / 100) + "s";
}

}  // namespace

void PodRunner::note(const Object& pod, const char* type, const char* reason, std::string message,
                     std::string container) {
  node_.events.note(pod, {type, reason, std::move(message), std::move(container)}, node_.clock.now());
}

ActionOutcome PodRunner::perform(const Object& pod, const PodAction& action, const ActionSurroundings& around) {
  switch (action.kind) {
    case Kind::setUpVolumes:
      return setUpVolumes(pod);
    case Kind::runSandbox:
      return runSandbox(pod, action);
    case Kind::stopSandbox:
      return outcomeOf(node_.runtime.stopSandbox(action.id), "FailedKillPod");
    case Kind::removeSandbox:
      return outcomeOf(node_.runtime.removeSandbox(action.id), "FailedKillPod");
    case Kind::pullImage:
      return pullImage(pod, action);
    case Kind::startContainer:
      return startContainer(pod, action, around);
    case Kind::stopContainer:
      return stopContainer(pod, action, around);
    case Kind::removeContainer:
      return removeContainer(pod, action);
    case Kind::releaseVolumes:
      return release(pod, false);
    case Kind::releaseEverything:
      return release(pod, true);
  }
  return {};
}

Result<PodRuntimeState> PodRunner::observe(const std::string& podUid) {
  STEER_TRY(auto state, node_.runtime.observe(podUid));
  for (auto& container : state.containers)
    if (container.phase == ContainerPhase::exited) addTerminationMessage(container);
  return state;
}

ActionOutcome PodRunner::setUpVolumes(const Object& pod) {
  if (node_.options.simulated) return {};
  const auto refs = referencesOf(pod, node_);
  if (!refs.ok()) return failed("FailedMount", refs.error().message);
  const auto made = node_.volumes.setUp(pod, *refs);
  if (made.ok()) return {};
  note(pod, "Warning", "FailedMount", "MountVolume.SetUp failed: " + made.error().message);
  return failed("FailedMount", made.error().message);
}

ActionOutcome PodRunner::runSandbox(const Object& pod, const PodAction& action) {
  if (!node_.networkReady && !usesHostNetwork(pod)) return failed("NetworkNotReady", "the pod network is not ready");
  const auto setting = podSettingOf(pod, node_);
  std::error_code ec;
  if (!node_.options.simulated) {
    std::filesystem::create_directories(setting.logDirectory, ec);
    if (const auto limited = node_.cgroups.limit(setting.cgroupParent, podResourcesOf(pod)); !limited.ok()) {
      note(pod, "Warning", "FailedCreatePodContainer", "The pod's control group: " + limited.error().message);
      return failed("FailedCreatePodContainer", limited.error().message);
    }
  }
  const auto id = node_.runtime.runSandbox(sandboxConfigOf(pod, action.attempt, setting));
  if (id.ok()) return {};
  note(pod, "Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: " + id.error().message);
  return failed("FailedCreatePodSandBox", id.error().message);
}

ActionOutcome PodRunner::pullImage(const Object& pod, const PodAction& action) {
  const auto* container = containerNamed(pod, action.container);
  if (!container) return {};
  const auto image = std::string(stringAt(*container, {"image"}));
  const auto policy = pullPolicyOf(*container);
  if (policy != PullPolicy::always) {
    const auto present = node_.runtime.imageStatus(image);
    if (!present.ok()) return failed("ImageInspectError", present.error().message);
    if (*present) {
      if (!node_.options.simulated)
        note(pod, "Normal", "Pulled", "Container image \"" + image + "\" already present on machine", action.container);
      return {{}, PulledImage{(*present)->id, *present}};
    }
    if (policy == PullPolicy::never) {
      const std::string message = "Container image \"" + image + "\" is not present with pull policy of Never";
      note(pod, "Warning", "ErrImageNeverPull", message, action.container);
      return failed("ErrImageNeverPull", message);
    }
  }
  auto pulled = pullWithCredentials(pod, action.container, image);
  if (pulled.ok()) return {{}, *std::move(pulled)};
  note(pod, "Warning", "Failed", "Failed to pull image \"" + image + "\": " + pulled.error().message, action.container);
  note(pod, "Warning", "Failed", "Error: ErrImagePull", action.container);
  return failed("ErrImagePull", pulled.error().message);
}

Result<PulledImage> PodRunner::pullWithCredentials(const Object& pod, const std::string& container,
                                                   const std::string& image) {
  note(pod, "Normal", "Pulling", "Pulling image \"" + image + "\"", container);
  STEER_TRY(const auto secrets, node_.references.pullSecrets(pod));
  std::vector<std::optional<ImageAuth>> attempts;
  for (auto& auth : credentialsFor(image, secrets)) attempts.emplace_back(std::move(auth));
  if (attempts.empty()) attempts.emplace_back();
  const Time begin = node_.clock.now();
  Result<std::string> ref = makeError(Errc::internal, "");
  for (const auto& auth : attempts) {
    ref = node_.runtime.pullImage(image, auth);
    if (ref.ok()) break;
  }
  if (!ref.ok()) return ref.error();
  note(pod, "Normal", "Pulled",
       "Successfully pulled image \"" + image + "\" in " + secondsText(node_.clock.now() - begin), container);
  const auto info = node_.runtime.imageStatus(image);
  return PulledImage{*ref, info.ok() ? *info : std::optional<ImageInfo>{}};
}

Result<ContainerConfig> PodRunner::containerConfig(const Object& pod, const PodAction& action,
                                                   const ActionSurroundings& around) {
  const auto& options = node_.options;
  STEER_TRY(auto refs, referencesOf(pod, node_));
  refs.podIp = usesHostNetwork(pod) ? options.address : around.podIp;
  auto setting = podSettingOf(pod, node_);
  ContainerRequest request;
  request.name = action.container;
  request.attempt = action.attempt;
  request.restartDelay = action.restartDelay;
  if (around.image) {
    request.imageRef = around.image->ref;
    request.image = around.image->info;
  }
  if (!options.simulated) {
    STEER_TRY(refs.services, node_.references.services(pod.ns()));
    STEER_TRY(request.terminationFile, node_.volumes.terminationFile(pod, action.container, action.attempt));
    const auto* container = containerNamed(pod, action.container);
    if (!container) return makeError(Errc::invalid, "container " + action.container + " is not in the pod");
    STEER_TRY(request.subPaths, node_.volumes.subPaths(pod, *container, action.attempt, refs));
    // The host's names are the host network's; pods with a network of their own get their own.
    if (!usesHostNetwork(pod) || !arrayAt(pod.spec(), {"hostAliases"}).empty()) {
      STEER_TRY(setting.hostsFile, node_.volumes.writeHostsFile(pod, hostsFileOf(pod, refs.podIp, setting)));
    }
  }
  STEER_TRY(auto config, containerConfigOf(pod, request, setting, refs));
  if (!options.simulated)
    if (const auto* container = containerNamed(pod, action.container))
      STEER_CHECK(node_.volumes.shield(pod, *container, config.mounts));
  return config;
}

ActionOutcome PodRunner::startContainer(const Object& pod, const PodAction& action, const ActionSurroundings& around) {
  const auto& name = action.container;
  const auto* container = containerNamed(pod, name);
  auto config = containerConfig(pod, action, around);
  if (!config.ok()) {
    note(pod, "Warning", "Failed", "Error: " + config.error().message, name);
    return failed("CreateContainerConfigError", config.error().message);
  }
  const auto sandbox = sandboxConfigOf(pod, around.sandboxAttempt, podSettingOf(pod, node_));
  const auto id = node_.runtime.createContainer(action.id, *config, sandbox);
  if (!id.ok()) {
    note(pod, "Warning", "Failed", "Error: " + id.error().message, name);
    return failed("CreateContainerError", id.error().message);
  }
  if (!node_.options.simulated) note(pod, "Normal", "Created", "Created container: " + name, name);
  const auto started = node_.runtime.startContainer(*id);
  if (!started.ok()) {
    note(pod, "Warning", "Failed", "Error: " + started.error().message, name);
    return failed("RunContainerError", started.error().message);
  }
  if (!node_.options.simulated) note(pod, "Normal", "Started", "Started container " + name, name);
  const auto* hook = find(*container, {"lifecycle", "postStart"});
  if (!hook || !hook->is_object()) return {};
  const auto failure = runHook(hook->get_object(), *container, *id, around.podIp, kPostStartLimit);
  if (!failure) return {};
  note(pod, "Warning", "FailedPostStartHook", "PostStartHook failed: " + *failure, name);
  note(pod, "Normal", "Killing", "FailedPostStartHook", name);
  const auto stopped = node_.runtime.stopContainer(*id, seconds(terminationGraceSeconds(pod)));
  return stopped.ok() ? ActionOutcome{} : failed("PostStartHookError", stopped.error().message);
}

std::optional<std::string> PodRunner::runHook(const json::object& hook, const json::object& container,
                                              const std::string& id, const std::string& podIp, Duration timeout) {
  auto request = checkRequestOf(hook, container, id, podIp);
  if (!request.ok()) {
    // "sleep" is a wait inside the container's own life.
    const auto wait = intAt(hook, {"sleep", "seconds"}, -1);
    if (wait < 0) return request.error().message;
    request = CheckRequest{};
    request->containerId = id;
    request->command = {"sleep", std::to_string(wait)};
  }
  request->timeout = timeout;
  const auto outcome = node_.runtime.check(*request);
  if (outcome.success) return std::nullopt;
  return outcome.message.empty() ? "the hook failed" : outcome.message;
}

ActionOutcome PodRunner::stopContainer(const Object& pod, const PodAction& action, const ActionSurroundings& around) {
  note(pod, "Normal", action.reason.empty() ? "Killing" : action.reason.c_str(),
       action.message == "Stopping container" ? action.message + " " + action.container : action.message,
       action.container);
  seconds grace = action.grace;
  const auto* container = containerNamed(pod, action.container);
  const auto* hook = container ? find(*container, {"lifecycle", "preStop"}) : nullptr;
  if (hook && hook->is_object() && grace > seconds{0}) {
    const Time begin = node_.clock.now();
    if (const auto failure = runHook(hook->get_object(), *container, action.id, around.podIp, grace))
      note(pod, "Warning", "FailedPreStopHook", "PreStopHook failed: " + *failure, action.container);
    const auto used = std::chrono::duration_cast<seconds>(node_.clock.now() - begin);
    grace = std::max(grace - used, std::min(grace, kLeastGrace));
  }
  return outcomeOf(node_.runtime.stopContainer(action.id, grace), "FailedKillPod");
}

/// With its log: a container that crashes for days must not fill the disk with the logs of runs nobody can ask for.
ActionOutcome PodRunner::removeContainer(const Object& pod, const PodAction& action) {
  auto outcome = outcomeOf(node_.runtime.removeContainer(action.id), "FailedKillPod");
  if (outcome.setback || node_.options.simulated) return outcome;
  std::error_code ec;
  for (const auto& file :
       logFilesOf(std::filesystem::path(logDirectoryOf(pod, node_.options)) / action.container, action.attempt))
    std::filesystem::remove(file, ec);
  return outcome;
}

ActionOutcome PodRunner::release(const Object& pod, bool everything) {
  if (node_.options.simulated) return {};
  if (!everything) return outcomeOf(node_.volumes.release(pod.uid()), "FailedUnmount");
  if (auto removed = node_.volumes.remove(pod.uid()); !removed.ok()) return outcomeOf(removed, "FailedUnmount");
  std::error_code ec;
  std::filesystem::remove_all(logDirectoryOf(pod, node_.options), ec);
  node_.references.forgetPod(pod.uid());
  for (const auto& group : podCgroupsOf(nodeCgroup(node_.options), pod.uid()))
    if (auto removed = node_.cgroups.remove(group); !removed.ok()) return outcomeOf(removed, "FailedKillPod");
  return {};
}

}  // namespace steer
