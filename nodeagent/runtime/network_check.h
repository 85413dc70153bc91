#pragma once
// HTTP, TCP and gRPC probes and HTTP hooks, made from the agent's own network.
// Thread rule: blocks for at most the request's timeout; thread-safe.
#include "nodeagent/pod/probe_values.h"

namespace steer {

/// Any kind but exec.
CheckOutcome checkOverNetwork(const CheckRequest& request);

}  // namespace steer
