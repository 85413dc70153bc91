#pragma once
// The last words of a container: its termination message file, or the end of its log.
#include "nodeagent/pod/runtime_values.h"

namespace steer {

/// Fills container.message when the runtime left it empty. At most 4096 bytes of the file, or 2048
/// bytes / 80 lines of the log.
void addTerminationMessage(ContainerState& container);

}  // namespace steer
