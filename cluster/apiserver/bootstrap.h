#pragma once
// What every cluster has from its first moment on: the standing namespaces, and the service by
// which pods reach the API server. Level-based: made when missing, corrected when the address
// changed.
#include "cluster/apiserver/server_parts.h"

namespace steer {

void makeStandingObjects(ServerParts& parts);

}  // namespace steer
