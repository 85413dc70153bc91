// Baseline: what weakens the kernel's fences: privileges, capabilities, AppArmor, SELinux, /proc, seccomp, sysctls.
#include <algorithm>
#include <set>

#include "cluster/apiserver/admission/pod_security_checks.h"

namespace steer::pod_security {
namespace {

bool among(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void checkPrivileged(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (boolAt(container, {"securityContext", "privileged"})) names.push_back(name);
  });
  if (!names.empty())
    out.push_back({"privileged", containersText(names) + " must not set securityContext.privileged=true"});
}

void checkCapabilities(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  std::set<std::string> added;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    bool any = false;
    for (const auto& item : arrayAt(container, {"securityContext", "capabilities", "add"})) {
      const auto* text = item.if_string();
      if (text == nullptr ||
          among(view(*text), {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
                              "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}))
        continue;
      added.emplace(view(*text));
      any = true;
    }
    if (any) names.push_back(name);
  });
  if (!names.empty())
    out.push_back({"non-default capabilities", containersText(names) + " must not include " +
                                                   quotedList({added.begin(), added.end()}) +
                                                   " in securityContext.capabilities.add"});
}

void checkAppArmor(const Pod& pod, Findings& out) {
  constexpr std::string_view kAnnotation = "container.apparmor.security.beta.kubernetes.io/";
  std::vector<std::string> details;
  const auto bad = [](const json::object& of) {
    const auto type = stringAt(of, {"securityContext", "appArmorProfile", "type"});
    return !type.empty() && type != "RuntimeDefault" && type != "Localhost";
  };
  std::vector<std::string> names;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (bad(container)) names.push_back(name);
  });
  const std::string what = " must not set AppArmor profile type to \"Unconfined\"";
  if (bad(pod.spec)) details.push_back("pod" + what);
  if (!names.empty()) details.push_back(containersText(names) + what);
  for (const auto& [key, value] : pod.annotations) {
    const auto* text = value.if_string();
    if (!std::string_view(key).starts_with(kAnnotation) || text == nullptr) continue;
    const auto profile = view(*text);
    if (profile.empty() || profile == "runtime/default" || profile.starts_with("localhost/")) continue;
    details.push_back("annotation " + std::string(key) + "=\"" + std::string(profile) + "\"");
  }
  if (!details.empty())
    out.push_back(
        {details.size() == 1 ? "forbidden AppArmor profile" : "forbidden AppArmor profiles", joined(details, ", ")});
}

void checkSeLinux(const Pod& pod, Findings& out) {
  std::vector<std::string> setters;
  std::set<std::string> types;
  bool user = false, role = false;
  const auto look = [&](const json::object& of) {
    const auto& options = objectAt(of, {"securityContext", "seLinuxOptions"});
    const auto type = stringAt(options, {"type"});
    const bool known = among(type, {"", "container_t", "container_init_t", "container_kvm_t"}) ||
                       (pod.since(31) && type == "container_engine_t");
    if (!known) types.emplace(type);
    const bool hasUser = !stringAt(options, {"user"}).empty(), hasRole = !stringAt(options, {"role"}).empty();
    user = user || hasUser;
    role = role || hasRole;
    return !known || hasUser || hasRole;
  };
  std::vector<std::string> names;
  if (look(pod.spec)) setters.emplace_back("pod");
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (look(container)) names.push_back(name);
  });
  if (!names.empty()) setters.push_back(containersText(names));
  if (setters.empty()) return;
  std::vector<std::string> what;
  if (!types.empty())
    what.push_back((types.size() == 1 ? "type " : "types ") + quotedList({types.begin(), types.end()}));
  if (user) what.emplace_back("user may not be set");
  if (role) what.emplace_back("role may not be set");
  out.push_back({"seLinuxOptions",
                 joined(setters, " and ") + " set forbidden securityContext.seLinuxOptions: " + joined(what, "; ")});
}

void checkProcMount(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  std::set<std::string> mounts;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    const auto mount = stringAt(container, {"securityContext", "procMount"});
    if (mount.empty() || mount == "Default") return;
    names.push_back(name);
    mounts.emplace(mount);
  });
  if (!names.empty())
    out.push_back({"procMount", containersText(names) + " must not set securityContext.procMount to " +
                                    quotedList({mounts.begin(), mounts.end()})});
}

void checkSeccomp(const Pod& pod, Findings& out) {
  const auto bad = [](const json::object& of) {
    const auto type = stringAt(of, {"securityContext", "seccompProfile", "type"});
    return !type.empty() && type != "RuntimeDefault" && type != "Localhost";
  };
  std::vector<std::string> setters, names;
  if (bad(pod.spec)) setters.emplace_back("pod");
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (bad(container)) names.push_back(name);
  });
  if (!names.empty()) setters.push_back(containersText(names));
  if (!setters.empty())
    out.push_back({"seccompProfile",
                   joined(setters, " and ") + " must not set securityContext.seccompProfile.type to \"Unconfined\""});
}

void checkSysctls(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  for (const auto& item : arrayAt(pod.spec, {"securityContext", "sysctls"})) {
    const auto name = stringAt(item, {"name"});
    if (among(name, {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
                     "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range"}) ||
        (pod.since(27) && name == "net.ipv4.ip_local_reserved_ports") ||
        (pod.since(29) && among(name, {"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
                                       "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"})) ||
        (pod.since(32) && among(name, {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"})))
      continue;
    names.emplace_back(name);
  }
  if (!names.empty()) out.push_back({"forbidden sysctls", joined(names, ", ")});
}

}  // namespace

void checkKernel(const Pod& pod, bool capabilitiesAndSeccomp, Findings& out) {
  checkAppArmor(pod, out);
  if (capabilitiesAndSeccomp) checkCapabilities(pod, out);
  checkPrivileged(pod, out);
  checkProcMount(pod, out);
  checkSeLinux(pod, out);
  if (capabilitiesAndSeccomp) checkSeccomp(pod, out);
  checkSysctls(pod, out);
}

}  // namespace steer::pod_security
