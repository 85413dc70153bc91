#pragma once
// Which pods go first when there are too many. Pure.
// Source of the order: Kubernetes documentation, "ReplicaSet: scaling a ReplicaSet".
#include <map>
#include <string>
#include <vector>

#include "core/object.h"

namespace steer {

/// The `count` pods to delete. podsPerNode counts the active pods of the same owner on each node:
/// of equals, the ones in the fullest company go first.
std::vector<ObjectPtr> podsToDelete(std::vector<ObjectPtr> pods, std::size_t count,
                                    const std::map<std::string, std::size_t>& podsPerNode, Time now);

}  // namespace steer
