#pragma once
// The labels that every node carries, as kubelet sets them (pkg/kubelet/kubelet_node_status.go). Pure.
#include <string>

#include "core/json.h"

namespace steer {

/// Of this program: "amd64", "arm64".
constexpr const char* machineArchitecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "amd64";
#endif
}

inline json::object standingNodeLabels(const std::string& name) {
  return {{"kubernetes.io/hostname", name},
          {"kubernetes.io/os", "linux"},
          {"kubernetes.io/arch", machineArchitecture()},
          {"beta.kubernetes.io/os", "linux"},
          {"beta.kubernetes.io/arch", machineArchitecture()}};
}

}  // namespace steer
