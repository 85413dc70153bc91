#pragma once
// What the pods of a containerd that has ended leave on the machine, and its removal. Thread rule: stateless.
#include <string>
#include <vector>

#include "core/result.h"

namespace steer {

struct Leftovers {
  std::string socket;                ///< of the containerd: its shims are those that report there
  std::vector<std::string> folders;  ///< mounts below them are removed
  std::string cgroup;  ///< "/steer/demo": its processes are killed, the group removed in every hierarchy; empty = none
};

/// Errors: timeout, and the message names what is still there.
Result<void> removeLeftovers(const Leftovers& of);

}  // namespace steer
