#pragma once
// ClusterFacts: what every node must know of its cluster, kept by the control plane in the
// ConfigMap kube-system/steersman-cluster. Thread rule: plain values.
#include <string>

#include "cluster/client/client.h"
#include "core/result.h"

namespace steer::cli {

struct ClusterFacts {
  std::string podCidr;
  std::string serviceCidr;
  std::string domain = "cluster.local";
  std::string tag = "steer";  ///< part of the names that the cluster gives to the kernel
};

Result<void> publishFacts(Client& client, const ClusterFacts& facts);
/// Errors: notFound until the control plane has published them.
Result<ClusterFacts> readFacts(Client& client);
/// The CA certificate as PEM, from ConfigMap kube-system/kube-root-ca.crt.
Result<std::string> readCa(Client& client);

}  // namespace steer::cli
