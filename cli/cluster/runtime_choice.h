#pragma once
// Real containers or simulated ones: what this machine can do, and why not.
#include <string>
#include <vector>

#include "core/result.h"

namespace steer::cli {

enum class RuntimeKind { cri, sim };

/// What real containers would still need here ("root", "containerd"); empty = everything is there.
std::vector<std::string> missingForContainers();

struct RuntimeChoice {
  RuntimeKind kind = RuntimeKind::sim;
  std::string reason;  ///< for "auto" that fell back to simulated nodes: what is missing
};

/// wanted: auto | cri | sim. Errors: unavailable when cri is asked for and cannot work here.
Result<RuntimeChoice> chooseRuntime(const std::string& wanted);

/// "cpu=4,memory=8Gi,pods=110" → resource name and quantity text. Errors: badRequest with an example.
Result<std::vector<std::pair<std::string, std::string>>> parseCapacity(const std::string& text);

}  // namespace steer::cli
