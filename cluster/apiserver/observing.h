#pragma once
// Answers an observation from one snapshot. Thread rule: thread-safe.
// Failure rule: forbidden when the asker may not read something that the answer would name.
#include "cluster/apiserver/server_parts.h"
#include "cluster/client/observation.h"

namespace steer {

Result<Observation> observeObjects(const ServerParts& parts, const ObserveRequest& request, const Identity& who);

}  // namespace steer
