#pragma once
// NodeProcess: everything one node runs in one process: its containerd, the agent, the network.
// Thread rule: main thread; returns when the process was asked to end.
#include <string>
#include <vector>

#include "core/result.h"

namespace steer::cli {

struct NodeProcessOptions {
  std::string server;
  std::string token;  ///< of tokenFile, or of the environment
  std::string tokenFile;
  std::string nodeName;
  std::string address;
  std::string dataDir;
  std::string runtimeEndpoint;
  std::string images;
  std::vector<std::string> labels;
  std::vector<std::string> shielded;
};

/// SIGTERM leaves containers running, SIGINT stops pods and the node's own containerd.
Result<void> runNode(NodeProcessOptions options);

}  // namespace steer::cli
