#pragma once
// SimRuntime: a runtime that runs nothing. Containers start, become ready and end at times that the pod's annotations
// give (nodeagent/pod/sim_wishes.h), by a clock that may be virtual. Images whose name contains "missing" cannot be
// pulled. Thread rule: thread-safe.
#include <cstdint>
#include <memory>
#include <string>

#include "nodeagent/runtime/pod_runtime.h"

namespace steer {

struct SimRuntimeOptions {
  std::string podCidr = "10.244.0.0/24";  ///< pods get addresses from it, in order
};

std::unique_ptr<PodRuntime> makeSimRuntime(SimRuntimeOptions options, const Clock& clock);

}  // namespace steer
