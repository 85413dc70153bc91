#pragma once
// The one form in which equal values of a scalar type are stored: "0.5" and "500m" are the same
// quantity. Pure.
#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

/// Rewrites quantities, times and micro times; leaves malformed values and other scalars as they are.
void toNormalForm(Scalar scalar, json::value& value);

}  // namespace steer
