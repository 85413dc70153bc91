#pragma once
// Ports of nodes that pods take for themselves (hostPort, hostNetwork). No server refuses an object for them: its pods
// wait until whoever has them is gone. Pure.
#include <string>

#include "core/json.h"

namespace steer {

/// "8080/TCP": a port that pods of both objects take, on nodes where both may run; empty when there is none. Objects
/// without pods take none.
std::string sharedHostPort(const json::object& one, const json::object& other);

}  // namespace steer
