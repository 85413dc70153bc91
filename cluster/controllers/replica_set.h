#pragma once
// ReplicaSet: the shared core (replicas.h) with a metav1.LabelSelector.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeReplicaSetController();

}  // namespace steer
