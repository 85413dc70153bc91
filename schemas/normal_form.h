#pragma once
// The one form in which equal values of a scalar type are stored: "0.5" and "500m" are the same
// quantity. Pure.
#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

/// Rewrites quantities, times and micro times; leaves malformed values and other scalars as they are.
void toNormalForm(Scalar scalar, json::value& value);

/// Of a whole object, besides: null members are dropped, null items and map values become the zero value, and a
/// Secret's stringData becomes data.
void toNormalForm(const KindSchema& kind, json::object& object);

/// What null means in a manifest: a member that is null is absent, an item of a list or a value of a map that is null
/// is the zero value of its type.
void settleNulls(const KindSchema& kind, json::object& object);

/// A Secret's stringData becomes data; other kinds stay as they are.
void foldStringData(const KindSchema& kind, json::object& secret);

/// Drops what a Kubernetes server does not keep: empty lists and maps, and false, 0 and "" in fields where they mean
/// the same as absence. `hostNetwork: false` written out would otherwise be another template, and roll out again.
/// Source: the types' `omitempty` (schema facts). Status stays as its controller wrote it, and Steersman's own kinds as
/// their author wrote them.
void dropMeaningless(const KindSchema& kind, json::object& object);

}  // namespace steer
