#include <filesystem>

#include "core/folder.h"
#include "nodeagent/runtime/containerd_process.h"

namespace steer {
namespace {

std::string cniDirOf(const ContainerdOptions& options) {
  if (!options.cniBinDir.empty()) return options.cniBinDir;
  for (const char* dir : {"/usr/lib/cni", "/opt/cni/bin"})
    if (fileExists(std::string(dir) + "/bridge")) return dir;
  return "/opt/cni/bin";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string containerdConfig(const ContainerdOptions& options, const std::string& runDir) {
  const std::string cri = "plugins.\"io.containerd.grpc.v1.cri\"";
  std::string out;
  auto section = [&](const std::string& name) { out += "[" + name + "]\n"; };
  auto text = [&](const char* key, const std::string& value) {
    out += std::string(key) + " = " + quoted(value) + "\n";
  };
  auto raw = [&](const char* key, const char* value) { out += std::string(key) + " = " + value + "\n"; };
  raw("version", "2");
  text("root", options.dir + "/containerd/root");
  text("state", runDir + "/state");
  raw("oom_score", "0");
  // Snapshotters that this node does not use would only log errors; runtime.v1.linux must stay, or CRI does not load.
  raw("disabled_plugins",
      "[\"io.containerd.snapshotter.v1.btrfs\", \"io.containerd.snapshotter.v1.aufs\", "
      "\"io.containerd.snapshotter.v1.zfs\", \"io.containerd.snapshotter.v1.devmapper\", "
      "\"io.containerd.internal.v1.opt\", \"io.containerd.tracing.processor.v1.otlp\"]");
  section("grpc");
  text("address", runDir + "/containerd.sock");
  section("ttrpc");
  text("address", runDir + "/containerd.ttrpc.sock");
  section(cri);
  text("sandbox_image", options.pauseImage);
  // Machines without CAP_SYS_RESOURCE cannot lower oom_score_adj; sandboxes would fail to start.
  raw("restrict_oom_score_adj", "true");
  raw("disable_apparmor", fileExists("/sys/kernel/security/apparmor") ? "false" : "true");
  raw("disable_hugetlb_controller", "true");
  raw("tolerate_missing_hugetlb_controller", "true");
  raw("disable_tcp_service", "true");
  text("stream_server_address", "127.0.0.1");
  text("stream_server_port", "0");
  raw("enable_unprivileged_ports", "true");
  raw("enable_unprivileged_icmp", "true");
  raw("netns_mounts_under_state_dir", "true");
  raw("max_container_log_line_size", "16384");
  section(cri + ".cni");
  text("bin_dir", cniDirOf(options));
  text("conf_dir", options.dir + "/cni/conf");
  raw("max_conf_num", "1");
  section(cri + ".containerd");
  text("snapshotter", "overlayfs");
  text("default_runtime_name", "runc");
  section(cri + ".containerd.runtimes.runc");
  text("runtime_type", "io.containerd.runc.v2");
  section(cri + ".containerd.runtimes.runc.options");
  text("BinaryName", "runc");
  raw("SystemdCgroup", "false");
  text("Root", runDir + "/runc");
  section(cri + ".registry");
  text("config_path", options.dir + "/certs");
  return out;
}

}  // namespace steer
