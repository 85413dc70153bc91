#include "nodeagent/runtime/cri_messages.h"

#include "nodeagent/runtime/cri/api.pb.h"

namespace steer {

namespace cri = ::runtime::v1;

namespace {

Time timeOf(std::int64_t nanos) {
  return nanos <= 0 ? Time{} : Time{std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(nanos))};
}

void fill(cri::SecurityProfile& out, const SeccompProfile& in) {
  switch (in.kind) {
    case Seccomp::runtimeDefault:
      out.set_profile_type(cri::SecurityProfile::RuntimeDefault);
      break;
    case Seccomp::unconfined:
      out.set_profile_type(cri::SecurityProfile::Unconfined);
      break;
    case Seccomp::localhost:
      out.set_profile_type(cri::SecurityProfile::Localhost);
      out.set_localhost_ref(in.path);
      break;
  }
}

void fill(cri::NamespaceOption& out, const PodNamespaces& in) {
  out.set_network(in.hostNetwork ? cri::NODE : cri::POD);
  out.set_ipc(in.hostIpc ? cri::NODE : cri::POD);
  out.set_pid(in.hostPid ? cri::NODE : in.sharedPid ? cri::POD : cri::CONTAINER);
}

void fill(cri::LinuxContainerResources& out, const LinuxResources& in) {
  out.set_cpu_period(in.cpuPeriod);
  out.set_cpu_quota(in.cpuQuota);
  out.set_cpu_shares(in.cpuShares);
  out.set_memory_limit_in_bytes(in.memoryLimit);
  out.set_oom_score_adj(in.oomScoreAdj);
}

void fill(cri::LinuxContainerSecurityContext& out, const ContainerSecurity& in, const PodNamespaces& namespaces) {
  out.set_privileged(in.privileged);
  out.set_readonly_rootfs(in.readOnlyRootfs);
  out.set_no_new_privs(in.noNewPrivileges);
  if (in.runAsUser) out.mutable_run_as_user()->set_value(*in.runAsUser);
  if (in.runAsGroup) out.mutable_run_as_group()->set_value(*in.runAsGroup);
  for (const auto gid : in.supplementalGroups) out.add_supplemental_groups(gid);
  for (const auto& c : in.addCapabilities) out.mutable_capabilities()->add_add_capabilities(c);
  for (const auto& c : in.dropCapabilities) out.mutable_capabilities()->add_drop_capabilities(c);
  for (const auto& p : in.maskedPaths) out.add_masked_paths(p);
  for (const auto& p : in.readonlyPaths) out.add_readonly_paths(p);
  fill(*out.mutable_seccomp(), in.seccomp);
  fill(*out.mutable_namespace_options(), namespaces);
}

std::string labelOf(const google::protobuf::Map<std::string, std::string>& labels, const char* key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

ContainerPhase phaseOf(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return ContainerPhase::created;
    case cri::CONTAINER_RUNNING:
      return ContainerPhase::running;
    case cri::CONTAINER_EXITED:
      return ContainerPhase::exited;
    default:
      return ContainerPhase::unknown;
  }
}

}  // namespace

void fill(cri::PodSandboxConfig& out, const SandboxConfig& in) {
  auto& metadata = *out.mutable_metadata();
  metadata.set_name(in.podName);
  metadata.set_namespace_(in.podNamespace);
  metadata.set_uid(in.podUid);
  metadata.set_attempt(in.attempt);
  if (!in.namespaces.hostNetwork) out.set_hostname(in.hostname);
  out.set_log_directory(in.logDirectory);
  if (in.dns) {
    auto& dns = *out.mutable_dns_config();
    for (const auto& s : in.dns->servers) dns.add_servers(s);
    for (const auto& s : in.dns->searches) dns.add_searches(s);
    for (const auto& s : in.dns->options) dns.add_options(s);
  }
  for (const auto& p : in.ports) {
    auto& port = *out.add_port_mappings();
    port.set_protocol(p.protocol == "UDP" ? cri::UDP : p.protocol == "SCTP" ? cri::SCTP : cri::TCP);
    port.set_container_port(p.containerPort);
    port.set_host_port(p.hostPort);
    port.set_host_ip(p.hostIp);
  }
  out.mutable_labels()->insert(in.labels.begin(), in.labels.end());
  out.mutable_annotations()->insert(in.annotations.begin(), in.annotations.end());
  auto& linux_ = *out.mutable_linux();
  linux_.set_cgroup_parent(in.cgroupParent);
  linux_.mutable_sysctls()->insert(in.sysctls.begin(), in.sysctls.end());
  auto& security = *linux_.mutable_security_context();
  security.set_privileged(in.privileged);
  if (in.runAsUser) security.mutable_run_as_user()->set_value(*in.runAsUser);
  if (in.runAsGroup) security.mutable_run_as_group()->set_value(*in.runAsGroup);
  for (const auto gid : in.supplementalGroups) security.add_supplemental_groups(gid);
  fill(*security.mutable_seccomp(), in.seccomp);
  fill(*security.mutable_namespace_options(), in.namespaces);
}

void fill(cri::ContainerConfig& out, const ContainerConfig& in, const SandboxConfig& sandbox) {
  out.mutable_metadata()->set_name(in.name);
  out.mutable_metadata()->set_attempt(in.attempt);
  out.mutable_image()->set_image(in.image);
  for (const auto& c : in.command) out.add_command(c);
  for (const auto& a : in.args) out.add_args(a);
  out.set_working_dir(in.workingDir);
  for (const auto& [key, value] : in.env) {
    auto& env = *out.add_envs();
    env.set_key(key);
    env.set_value(value);
  }
  for (const auto& m : in.mounts) {
    auto& mount = *out.add_mounts();
    mount.set_container_path(m.containerPath);
    mount.set_host_path(m.hostPath);
    mount.set_readonly(m.readOnly);
    mount.set_propagation(m.propagation == MountPropagation::bidirectional     ? cri::PROPAGATION_BIDIRECTIONAL
                          : m.propagation == MountPropagation::hostToContainer ? cri::PROPAGATION_HOST_TO_CONTAINER
                                                                               : cri::PROPAGATION_PRIVATE);
  }
  out.mutable_labels()->insert(in.labels.begin(), in.labels.end());
  out.mutable_annotations()->insert(in.annotations.begin(), in.annotations.end());
  out.set_log_path(in.logPath);
  out.set_stdin(in.openStdin);
  out.set_stdin_once(in.stdinOnce);
  out.set_tty(in.tty);
  fill(*out.mutable_linux()->mutable_resources(), in.resources);
  fill(*out.mutable_linux()->mutable_security_context(), in.security, sandbox.namespaces);
}

SandboxState sandboxStateOf(const cri::PodSandbox& in) {
  SandboxState out;
  out.id = in.id();
  out.podName = in.metadata().name();
  out.podNamespace = in.metadata().namespace_();
  out.podUid = in.metadata().uid();
  out.attempt = in.metadata().attempt();
  out.ready = in.state() == cri::SANDBOX_READY;
  out.createdAt = timeOf(in.created_at());
  return out;
}

ContainerState containerStateOf(const cri::Container& in) {
  ContainerState out;
  out.id = in.id();
  out.sandboxId = in.pod_sandbox_id();
  out.podUid = labelOf(in.labels(), kPodUidLabel);
  out.name = in.metadata().name();
  out.attempt = in.metadata().attempt();
  out.phase = phaseOf(in.state());
  out.createdAt = timeOf(in.created_at());
  out.imageId = in.image_ref();
  out.annotations.insert(in.annotations().begin(), in.annotations().end());
  const auto image = out.annotations.find(kImageAnnotation);
  out.image = image != out.annotations.end() ? image->second : in.image().image();
  return out;
}

void addStatus(ContainerState& out, const cri::ContainerStatus& in) {
  out.phase = phaseOf(in.state());
  out.startedAt = timeOf(in.started_at());
  out.finishedAt = timeOf(in.finished_at());
  out.exitCode = in.exit_code();
  out.reason = in.reason();
  out.message = in.message();
  out.logPath = in.log_path();
  if (!in.image_ref().empty()) out.imageId = in.image_ref();
}

ImageInfo imageInfoOf(const cri::Image& in) {
  ImageInfo out;
  out.id = in.id();
  out.tags.assign(in.repo_tags().begin(), in.repo_tags().end());
  out.digests.assign(in.repo_digests().begin(), in.repo_digests().end());
  if (in.has_uid()) out.uid = in.uid().value();
  out.userName = in.username();
  out.bytes = in.size();
  out.pinned = in.pinned();
  return out;
}

}  // namespace steer
