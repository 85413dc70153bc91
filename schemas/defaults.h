#pragma once
// Server-side defaulting, per type, as Kubernetes' SetDefaults functions do it. Pure, idempotent.
#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

/// Fills what the user left out, everywhere in the object (pod templates included), and brings values to the
/// form that Kubernetes stores: null members are dropped, quantities and times are canonical. What only the
/// server can know (allocated addresses, uids, finalizers) is not touched.
void applyDefaults(const KindSchema& kind, json::object& object);

}  // namespace steer
