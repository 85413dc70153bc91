#pragma once
// ReplicationController: the shared core (replicas.h) with a plain map as selector.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeReplicationController();

}  // namespace steer
