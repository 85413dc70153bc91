#pragma once
// A real container runtime behind PodRuntime: Container Runtime Interface v1 over a unix socket.
// Every call has a deadline. A runtime that restarts is reconnected by itself; its containers go on.
#include <memory>
#include <string>

#include "nodeagent/runtime/pod_runtime.h"

namespace steer {

struct CriOptions {
  std::string socketPath;  ///< at most 107 bytes
  std::string nodeName;    ///< value of kNodeLabel: only what carries it is ours
};

/// Does not connect yet.
std::unique_ptr<PodRuntime> makeCriRuntime(CriOptions options);

}  // namespace steer
