#pragma once
// What a DELETE does to an object: gone at once, or marked and held by its grace period and its
// finalizers. Pure.
#include "cluster/apiserver/kind_strategy.h"
#include "core/write.h"

namespace steer {

enum class Fate { unchanged, marked, gone };

struct Deletion {
  Fate fate = Fate::unchanged;
  json::object body;  ///< the object as marked, for Fate::marked
};

Result<Deletion> decideDeletion(const KindSchema& kind, const KindStrategy& strategy, const Object& live,
                                const DeleteOptions& options, Time now);

/// A marked object that nothing holds any more.
bool readyToGo(const KindStrategy& strategy, const json::object& object);

}  // namespace steer
