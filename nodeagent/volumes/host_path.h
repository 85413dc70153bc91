#pragma once
// hostPath volumes: the type that the pod demands is checked (or made) before a container sees it.
#include <string>

#include "core/json.h"
#include "core/result.h"

namespace steer {

/// `source` is the volume's hostPath object. Errors: invalid naming the path and the type.
Result<void> prepareHostPath(const json::value& source);

}  // namespace steer
