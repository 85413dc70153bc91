#include "nodeagent/agent/node_context.h"

#include <arpa/inet.h>

#include "nodeagent/agent/log_files.h"

namespace steer {

namespace {

constexpr const char* kRootCertificates = "kube-root-ca.crt";

}  // namespace

std::string logRoot(const AgentOptions& options) { return options.rootDir + "/logs/pods"; }

std::string logDirectoryOf(const Object& pod, const AgentOptions& options) {
  return podLogDirectory(logRoot(options), pod.ns(), pod.name(), pod.uid()).string();
}

std::string nodeCgroup(const AgentOptions& options) { return "/steer/" + options.clusterName + "/" + options.nodeName; }

Result<PodReferences> referencesOf(const Object& pod, NodeContext& node) {
  STEER_TRY(auto refs, node.references.forPod(pod));
  refs.nodeAllocatable = node.allocatable;
  refs.hostIp = node.options.address;
  refs.clusterCertificate = node.options.caPem;
  // The controller may not have published it yet in a new namespace; the node has known it from the start.
  refs.configMap = [published = std::move(refs.configMap), pem = node.options.caPem](const std::string& name) {
    auto map = published(name);
    if (map || name != kRootCertificates || pem.empty()) return map;
    return Object::make({{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", json::object{{"name", name}}},
                         {"data", json::object{{"ca.crt", pem}}}});
  };
  return refs;
}

std::string firstAddressOf(const std::string& cidr) {
  in_addr address{};
  if (inet_pton(AF_INET, cidr.substr(0, cidr.find('/')).c_str(), &address) != 1) return "";
  address.s_addr = htonl(ntohl(address.s_addr) + 1);
  char text[INET_ADDRSTRLEN] = {};
  return inet_ntop(AF_INET, &address, text, sizeof text) ? text : "";
}

PodSetting podSettingOf(const Object& pod, const NodeContext& node) {
  PodSetting out;
  out.nodeName = node.options.nodeName;
  out.nodeHostname = node.options.nodeName;
  out.clusterDomain = node.options.clusterDomain;
  out.dnsAddress = node.dnsAddress.with([](const std::string& a) { return a; });
  out.nodeResolver = node.nodeResolver;
  out.memoryCapacity = node.memoryCapacity;
  if (node.options.simulated) {
    // Nothing is made there; the containers only name them.
    for (const auto& volume : arrayAt(pod.spec(), {"volumes"})) {
      const std::string name(stringAt(volume, {"name"}));
      out.volumePaths[name] = "/simulated/" + name;
    }
    return out;
  }
  out.cgroupParent = podCgroupOf(nodeCgroup(node.options), pod);
  out.logDirectory = logDirectoryOf(pod, node.options);
  out.volumePaths = node.volumes.paths(pod);
  return out;
}

}  // namespace steer
