#pragma once
// How a command reaches a cluster: --kubeconfig, else $KUBECONFIG, else the kubeconfig of the local
// data directory, else ~/.kube/config. Thread rule: main thread.
#include <memory>
#include <string>

#include "cluster/client/client.h"
#include "core/result.h"

namespace steer::cli {

/// The file that would be used; empty when there is none.
std::string kubeconfigPath(const std::string& flag);
/// Errors: notFound when no kubeconfig is found, with what to do.
Result<std::unique_ptr<Client>> connect(const std::string& kubeconfigFlag);

}  // namespace steer::cli
