#pragma once
// Pods that nobody will end: on nodes that are gone, terminating without a node, and finished ones
// above a threshold. And events past their time. Pure.
#include <cstddef>
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makePodGarbageController(std::size_t keepTerminated);
std::unique_ptr<Controller> makeEventExpiryController(Duration ttl);

}  // namespace steer
