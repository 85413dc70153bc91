#pragma once
// What a node may: read what its own pods name, write its own Node, lease and the status of its own pods, and see the
// services and nodes that its network needs. Who it is its certificate says. Source: Kubernetes documentation, "Using
// Node Authorization" and "NodeRestriction". Pure.
#include <string>
#include <string_view>

#include "cluster/apiserver/authorizer.h"
#include "cluster/apiserver/write_planner.h"

namespace steer {

/// The node that this is; empty for everybody else.
std::string nodeNameOf(const Identity& who);

bool nodeMay(std::string_view node, const AccessQuestion& question, const Snapshot& view);

/// What a node that joins may: ask for its certificate.
bool joiningMay(const Identity& who, const AccessQuestion& question, const Snapshot& view);

/// What a write of a node would make of objects: labels that schedule protected pods, taints and addresses of pods are
/// not a node's to change. Errors: forbidden.
Result<void> admitNodeWrite(const Identity& who, const Snapshot& view, const PlannedWrite& planned);

}  // namespace steer
