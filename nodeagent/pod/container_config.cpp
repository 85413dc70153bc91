#include <algorithm>

#include "core/quantity.h"
#include "nodeagent/pod/container_spec.h"
#include "nodeagent/pod/sandbox_config.h"

namespace steer {

namespace {

constexpr std::int64_t kCpuPeriod = 100'000;
constexpr std::int64_t kLeastQuota = 1'000;
constexpr std::int64_t kLeastShares = 2;
constexpr std::int64_t kMostShares = 262'144;

// What a container must not see or write of the node, unless it asks for an unmasked /proc.
const std::vector<std::string> kMasked = {"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
                                          "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
                                          "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                                          "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
const std::vector<std::string> kReadonly = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

Quantity amount(const json::object& container, std::string_view list, std::string_view resource) {
  const auto* found = find(container, {"resources", list, resource});
  return found ? Quantity::fromJson(*found).valueOr({}) : Quantity{};
}

std::vector<std::string> texts(const json::array& in) {
  std::vector<std::string> out;
  for (const auto& item : in)
    if (item.is_string()) out.emplace_back(view(item.get_string()));
  return out;
}

/// The container's own word wins over the pod's.
const json::value* securityField(const Object& pod, const json::object& container, std::string_view name) {
  if (const auto* own = find(container, {"securityContext", name})) return own;
  return find(pod.spec(), {"securityContext", name});
}

SeccompProfile seccompOf(const Object& pod, const json::object& container) {
  const auto* profile = securityField(pod, container, "seccompProfile");
  if (!profile) return {};
  const auto type = stringAt(*profile, {"type"});
  if (type == "RuntimeDefault") return {Seccomp::runtimeDefault, ""};
  if (type == "Localhost") return {Seccomp::localhost, std::string(stringAt(*profile, {"localhostProfile"}))};
  return {};
}

Result<void> checkNonRoot(const ContainerSecurity& security, const std::optional<ImageInfo>& image) {
  if (!security.runAsNonRoot) return {};
  if (security.runAsUser) {
    if (*security.runAsUser != 0) return {};
    return makeError(Errc::invalid, "container's runAsUser breaks non-root policy");
  }
  if (image && image->uid && *image->uid != 0) return {};
  if (image && !image->uid && !image->userName.empty())
    return makeError(Errc::invalid, "container has runAsNonRoot and image has non-numeric user (" + image->userName +
                                        "), cannot verify user is non-root");
  return makeError(Errc::invalid, "container has runAsNonRoot and image will run as root");
}

MountPropagation propagationOf(const json::value& mount) {
  const auto text = stringAt(mount, {"mountPropagation"});
  if (text == "HostToContainer") return MountPropagation::hostToContainer;
  if (text == "Bidirectional") return MountPropagation::bidirectional;
  return MountPropagation::none;
}

Result<std::vector<ContainerMount>> mountsOf(const json::object& container, const ContainerRequest& request,
                                             const PodSetting& setting) {
  std::vector<ContainerMount> out;
  bool ownHosts = false;
  for (const auto& mount : arrayAt(container, {"volumeMounts"})) {
    const auto name = std::string(stringAt(mount, {"name"}));
    auto path = std::string(stringAt(mount, {"mountPath"}));
    const auto volume = setting.volumePaths.find(name);
    if (volume == setting.volumePaths.end())
      return makeError(Errc::invalid, "volume \"" + name + "\" of mount " + path + " is not in the pod");
    ownHosts = ownHosts || path == "/etc/hosts";
    const auto sub = request.subPaths.find(path);
    out.push_back({path, sub == request.subPaths.end() ? volume->second : sub->second, boolAt(mount, {"readOnly"}),
                   propagationOf(mount)});
  }
  if (!ownHosts && !setting.hostsFile.empty()) out.push_back({"/etc/hosts", setting.hostsFile});
  if (!request.terminationFile.empty()) {
    const auto path = stringAt(container, {"terminationMessagePath"}, "/dev/termination-log");
    out.push_back({std::string(path), request.terminationFile});
  }
  return out;
}

void label(const Object& pod, const json::object& container, const ContainerRequest& request, const PodSetting& setting,
           ContainerConfig& out) {
  out.labels = {{kPodNameLabel, pod.name()},
                {kPodNamespaceLabel, pod.ns()},
                {kPodUidLabel, pod.uid()},
                {kContainerNameLabel, request.name},
                {kNodeLabel, setting.nodeName}};
  out.annotations = {{kImageAnnotation, std::string(stringAt(container, {"image"}))},
                     {kRestartDelayAnnotation, std::to_string(request.restartDelay.count())},
                     {kTerminationPathAnnotation, request.terminationFile},
                     {kTerminationPolicyAnnotation, std::string(stringAt(container, {"terminationMessagePolicy"}))}};
}

}  // namespace

LinuxResources linuxResourcesOf(const Object& pod, const json::object& container, std::int64_t memoryCapacity) {
  LinuxResources out;
  const auto limitCpu = amount(container, "limits", "cpu").milli();
  auto requestCpu = amount(container, "requests", "cpu").milli();
  if (requestCpu == 0) requestCpu = limitCpu;
  out.cpuShares = std::clamp(requestCpu * 1024 / 1000, kLeastShares, kMostShares);
  if (limitCpu > 0) {
    out.cpuPeriod = kCpuPeriod;
    out.cpuQuota = std::max(limitCpu * kCpuPeriod / 1000, kLeastQuota);
  }
  out.memoryLimit = amount(container, "limits", "memory").units();
  // The less of the node's memory a container asked for, the sooner it is chosen when memory runs out.
  const auto qos = qosClassOf(pod);
  if (qos == "Guaranteed") {
    out.oomScoreAdj = -997;
  } else if (qos == "BestEffort") {
    out.oomScoreAdj = 1000;
  } else {
    const auto request = amount(container, "requests", "memory").units();
    const auto share =
        memoryCapacity > 0
            ? static_cast<std::int64_t>(1000.0 * static_cast<double>(request) / static_cast<double>(memoryCapacity))
            : 0;
    out.oomScoreAdj = std::clamp<std::int64_t>(1000 - share, 3, 999);
  }
  return out;
}

Result<ContainerSecurity> containerSecurityOf(const Object& pod, const json::object& container,
                                              const std::optional<ImageInfo>& image) {
  ContainerSecurity out;
  const auto& own = objectAt(container, {"securityContext"});
  out.privileged = boolAt(own, {"privileged"});
  out.readOnlyRootfs = boolAt(own, {"readOnlyRootFilesystem"});
  out.noNewPrivileges = !boolAt(own, {"allowPrivilegeEscalation"}, true);
  if (const auto* user = securityField(pod, container, "runAsUser")) out.runAsUser = asInt(*user);
  if (const auto* group = securityField(pod, container, "runAsGroup")) out.runAsGroup = asInt(*group);
  if (const auto* nonRoot = securityField(pod, container, "runAsNonRoot"))
    out.runAsNonRoot = nonRoot->is_bool() && nonRoot->get_bool();
  STEER_CHECK(checkNonRoot(out, image));
  // The image's own user has to be named when only the group is given.
  if (out.runAsGroup && !out.runAsUser) out.runAsUser = image && image->uid ? *image->uid : 0;
  for (const auto& gid : arrayAt(pod.spec(), {"securityContext", "supplementalGroups"}))
    if (const auto number = asInt(gid)) out.supplementalGroups.push_back(*number);
  if (const auto* fsGroup = find(pod.spec(), {"securityContext", "fsGroup"}))
    if (const auto number = asInt(*fsGroup)) out.supplementalGroups.push_back(*number);
  out.addCapabilities = texts(arrayAt(own, {"capabilities", "add"}));
  out.dropCapabilities = texts(arrayAt(own, {"capabilities", "drop"}));
  out.seccomp = out.privileged ? SeccompProfile{} : seccompOf(pod, container);
  if (!out.privileged && stringAt(own, {"procMount"}) != "Unmasked") {
    out.maskedPaths = kMasked;
    out.readonlyPaths = kReadonly;
  }
  return out;
}

Result<ContainerConfig> containerConfigOf(const Object& pod, const ContainerRequest& request, const PodSetting& setting,
                                          const PodReferences& refs) {
  const auto* container = containerNamed(pod, request.name);
  if (!container) return makeError(Errc::invalid, "container " + request.name + " is not in the pod");
  ContainerConfig out;
  out.name = request.name;
  out.attempt = request.attempt;
  out.image = request.imageRef;
  STEER_TRY(auto env, environmentOf(pod, *container, refs));
  for (const auto& word : texts(arrayAt(*container, {"command"}))) out.command.push_back(expandVariables(word, env));
  for (const auto& word : texts(arrayAt(*container, {"args"}))) out.args.push_back(expandVariables(word, env));
  out.env = std::move(env);
  out.workingDir = stringAt(*container, {"workingDir"});
  STEER_TRY(out.mounts, mountsOf(*container, request, setting));
  label(pod, *container, request, setting, out);
  out.logPath = request.name + "/" + std::to_string(request.attempt) + ".log";
  out.openStdin = boolAt(*container, {"stdin"});
  out.stdinOnce = boolAt(*container, {"stdinOnce"});
  out.tty = boolAt(*container, {"tty"});
  const auto& spec = pod.spec();
  out.namespaces = {boolAt(spec, {"hostNetwork"}), boolAt(spec, {"hostPID"}), boolAt(spec, {"hostIPC"}),
                    boolAt(spec, {"shareProcessNamespace"})};
  out.resources = linuxResourcesOf(pod, *container, setting.memoryCapacity);
  STEER_TRY(out.security, containerSecurityOf(pod, *container, request.image));
  return out;
}

}  // namespace steer
