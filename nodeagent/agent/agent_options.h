#pragma once
// What a node agent must know before it starts. Thread rule: plain values.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/client/http_client.h"
#include "core/clock.h"
#include "core/json.h"
#include "nodeagent/agent/log_files.h"
#include "nodeagent/pod/image_collection.h"

namespace steer {

struct AgentOptions {
  std::string nodeName;
  std::string clusterName = "steer";    ///< part of the pods' cgroup path
  std::string address;                  ///< InternalIP of the node; also of host-network pods
  std::string rootDir;                  ///< pods' volumes, logs and hosts files
  std::vector<std::string> shielded{};  ///< directories besides that no pod sees
  std::map<std::string, std::string> labels;
  json::array taints;  ///< v1.Taint objects for a node that registers for the first time
  /// Instead of what the machine has: {"cpu": "4", "memory": "8Gi", "pods": "110"}.
  std::map<std::string, std::string> capacity;
  std::string providerId;
  /// Where pods resolve names; empty = the first address of the node's podCIDR, where the node's DNS
  /// server listens.
  std::string dnsAddress;
  bool useNodeResolver = false;  ///< no cluster DNS: pods get the node's own resolver
  std::string clusterDomain = "cluster.local";
  /// The address and port of the API server as pods reach it (KUBERNETES_SERVICE_HOST is the
  /// service default/kubernetes; this is used when that service is not there).
  std::string apiServerHost;
  int apiServerPort = 0;
  /// Log server; 0 = a free port (published in the Node), -1 = no server.
  int serverPort = 10250;
  /// Network namespace file in which the log server listens; empty = the process's own.
  std::string networkNamespace;
  std::string caPem;                                   ///< the cluster's CA: who may read logs
  std::shared_ptr<const ClientCertificate> serving{};  ///< what the log server shows; others set it
  seconds leasePeriod{10};
  seconds statusPeriod{60};    ///< node status heart-beat when nothing changed
  seconds referencePeriod{5};  ///< how old a config map or secret in a running pod may be
  seconds listPeriod{5};       ///< full look at the runtime when no event came
  seconds housePeriod{10};     ///< between looks at the sizes of logs
  LogRotation logRotation{};
  seconds imagePeriod{300};  ///< between looks at the disk that images fill
  ImageCollection imageCollection{};
  /// Simulated nodes have no cgroups, files, or machine of their own.
  bool simulated = false;
};

}  // namespace steer
