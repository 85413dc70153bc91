#pragma once
// Pods that nobody will end: on nodes that are gone, terminating without a node, and finished ones
// above a threshold. And events past their time. Pure.
#include <cstddef>
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makePodGarbageController(std::size_t keepTerminated);
/// Events that nobody saw again for `ttl`, and of more than `most` those that were seen last the longest ago.
std::unique_ptr<Controller> makeEventExpiryController(Duration ttl, std::size_t most);

}  // namespace steer
