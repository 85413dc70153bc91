#include "nodeagent/pod/sandbox_config.h"

#include <algorithm>

#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr std::size_t kLongestHostname = 63;
constexpr std::size_t kMostSearches = 32;

std::map<std::string, std::string> stringMap(const json::object& in) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : in)
    if (value.is_string()) out.emplace(std::string(key), std::string(view(value.get_string())));
  return out;
}

void append(std::vector<std::string>& list, const json::array& more) {
  for (const auto& item : more)
    if (item.is_string()) {
      std::string text(view(item.get_string()));
      if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
    }
}

std::vector<HostPort> hostPortsOf(const Object& pod) {
  std::vector<HostPort> out;
  if (usesHostNetwork(pod)) return out;
  for (const auto& spec : containersOf(pod)) {
    for (const auto& port : arrayAt(*spec.json, {"ports"})) {
      const auto host = intAt(port, {"hostPort"});
      if (host == 0) continue;
      out.push_back({std::string(stringAt(port, {"protocol"}, "TCP")),
                     static_cast<std::int32_t>(intAt(port, {"containerPort"})), static_cast<std::int32_t>(host),
                     std::string(stringAt(port, {"hostIP"}))});
    }
  }
  return out;
}

}  // namespace

std::string hostnameOf(const Object& pod) {
  auto name = std::string(stringAt(pod.spec(), {"hostname"}, pod.name()));
  if (name.size() > kLongestHostname) name.resize(kLongestHostname);
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name;
}

DnsConfig dnsOf(const Object& pod, const PodSetting& setting) {
  auto policy = stringAt(pod.spec(), {"dnsPolicy"}, "ClusterFirst");
  // ClusterFirst on the host network means the node's resolver; …WithHostNet asks for the cluster's.
  if (policy == "ClusterFirst" && usesHostNetwork(pod)) policy = "Default";
  DnsConfig out;
  if (policy != "None") {
    if (policy == "Default" || setting.dnsAddress.empty()) {
      out = setting.nodeResolver;
    } else {
      const auto& domain = setting.clusterDomain;
      out.servers = {setting.dnsAddress};
      out.searches = {pod.ns() + ".svc." + domain, "svc." + domain, domain};
      for (const auto& s : setting.nodeResolver.searches) out.searches.push_back(s);
      out.options = {"ndots:5"};
    }
  }
  const auto& own = objectAt(pod.spec(), {"dnsConfig"});
  append(out.servers, arrayAt(own, {"nameservers"}));
  append(out.searches, arrayAt(own, {"searches"}));
  for (const auto& option : arrayAt(own, {"options"})) {
    const auto name = std::string(stringAt(option, {"name"}));
    const auto value = std::string(stringAt(option, {"value"}));
    std::erase_if(out.options, [&](const std::string& o) { return o == name || o.starts_with(name + ":"); });
    out.options.push_back(value.empty() ? name : name + ":" + value);
  }
  if (out.searches.size() > kMostSearches) out.searches.resize(kMostSearches);
  return out;
}

std::string hostsFileOf(const Object& pod, const std::string& podIp, const PodSetting& setting) {
  std::string out =
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
      "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
  if (!podIp.empty() && !usesHostNetwork(pod)) {
    const auto host = hostnameOf(pod);
    const auto subdomain = std::string(stringAt(pod.spec(), {"subdomain"}));
    out += podIp + "\t";
    if (!subdomain.empty()) out += host + "." + subdomain + "." + pod.ns() + ".svc." + setting.clusterDomain + "\t";
    out += host + "\n";
  }
  for (const auto& alias : arrayAt(pod.spec(), {"hostAliases"})) {
    out += std::string(stringAt(alias, {"ip"}));
    for (const auto& name : arrayAt(alias, {"hostnames"}))
      if (name.is_string()) out += "\t" + std::string(view(name.get_string()));
    out += "\n";
  }
  return out;
}

SandboxConfig sandboxConfigOf(const Object& pod, std::uint32_t attempt, const PodSetting& setting) {
  SandboxConfig out;
  out.podName = pod.name();
  out.podNamespace = pod.ns();
  out.podUid = pod.uid();
  out.attempt = attempt;
  const auto& spec = pod.spec();
  out.namespaces = {boolAt(spec, {"hostNetwork"}), boolAt(spec, {"hostPID"}), boolAt(spec, {"hostIPC"}),
                    boolAt(spec, {"shareProcessNamespace"})};
  if (!out.namespaces.hostNetwork) {
    out.hostname = hostnameOf(pod);
    const auto subdomain = stringAt(spec, {"subdomain"});
    if (boolAt(spec, {"setHostnameAsFQDN"}) && !subdomain.empty())
      out.hostname += "." + std::string(subdomain) + "." + pod.ns() + ".svc." + setting.clusterDomain;
  }
  out.logDirectory = setting.logDirectory;
  out.dns = dnsOf(pod, setting);
  out.ports = hostPortsOf(pod);
  out.labels = stringMap(pod.labels());
  out.labels[kPodNameLabel] = pod.name();
  out.labels[kPodNamespaceLabel] = pod.ns();
  out.labels[kPodUidLabel] = pod.uid();
  out.labels[kNodeLabel] = setting.nodeName;
  out.annotations = stringMap(pod.annotations());
  out.cgroupParent = setting.cgroupParent;
  const auto& security = objectAt(spec, {"securityContext"});
  for (const auto& item : arrayAt(security, {"sysctls"}))
    out.sysctls[std::string(stringAt(item, {"name"}))] = std::string(stringAt(item, {"value"}));
  for (const auto& c : containersOf(pod))
    out.privileged = out.privileged || boolAt(*c.json, {"securityContext", "privileged"});
  if (const auto* user = find(security, {"runAsUser"})) out.runAsUser = asInt(*user);
  if (const auto* group = find(security, {"runAsGroup"})) out.runAsGroup = asInt(*group);
  // A group without a user is refused by runtimes.
  if (!out.runAsUser) out.runAsGroup.reset();
  out.seccomp = {Seccomp::runtimeDefault, ""};
  return out;
}

}  // namespace steer
