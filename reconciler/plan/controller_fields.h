#pragma once
// Fields that a controller of the cluster fills in whatever a manifest says: applying them would be an endless fight.
// Pure. Source: the documentation of ClusterRole.aggregationRule ("rules is controller managed, and direct changes will
// be stomped by the controller").
#include "core/json.h"

namespace steer {

/// Takes them out of what is applied.
void leaveToControllers(json::object& body);

}  // namespace steer
