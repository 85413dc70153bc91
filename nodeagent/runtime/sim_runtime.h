#pragma once
// SimRuntime: a runtime that runs nothing. Containers start, become ready and end at times that the
// pod's annotations give, by a clock that may be virtual; see docs of each annotation below.
//   simulator.steersman.dev/start-delay: 2s        a container runs this long after its start
//   simulator.steersman.dev/image-pull-delay: 1s   added before the start
//   simulator.steersman.dev/ready-delay: 3s        not ready before, probes fail before
//   simulator.steersman.dev/exit-after: 10s        it ends this long after it runs (default: never)
//   simulator.steersman.dev/exit-code: 1           with this code (alone: it ends at once)
// Images whose name contains "missing" cannot be pulled. Thread rule: thread-safe.
#include <cstdint>
#include <memory>
#include <string>

#include "nodeagent/runtime/pod_runtime.h"

namespace steer {

struct SimRuntimeOptions {
  std::string podCidr = "10.244.0.0/24";  ///< pods get addresses from it, in order
};

std::unique_ptr<PodRuntime> makeSimRuntime(SimRuntimeOptions options, const Clock& clock);

/// "2s", "500ms", "1m30s"; zero when it cannot be read.
Duration simDuration(std::string_view text);

}  // namespace steer
