#pragma once
// A secret's stringData, written by people, becomes data. Pure.
#include "core/json.h"

namespace steer {

/// Moves stringData into data as base64; stringData wins.
void foldStringData(json::object& secret);

}  // namespace steer
