#pragma once
// Why the pods of a workload do not come up: what "0 of 2 replicas are available" leaves out.
// Thread rule: as the client's. Failure rule: what cannot be read is not told.
#include <string>

#include "cluster/client/client.h"
#include "reconciler/health/health.h"

namespace steer {

/// "pod web-x7k2p: container web: ImagePullBackOff, …"; empty when it is no workload, or none of its pods is in
/// trouble.
std::string podTrouble(Client& client, const Object& workload);

/// The health of an object as it is told: with the trouble of its pods, when it is not healthy.
Health toldHealth(Client& client, const Object& object);

}  // namespace steer
