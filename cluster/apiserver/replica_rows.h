#pragma once
// Columns and rows that the kinds with a pod template and replicas share. Pure.
#include <vector>

#include "cluster/apiserver/kind_strategy.h"

namespace steer {

/// Columns of replica sets and replication controllers; the row lacks the selector.
std::vector<TableColumn> replicaColumns();
json::array replicaRow(const Object& object, Time now);

}  // namespace steer
