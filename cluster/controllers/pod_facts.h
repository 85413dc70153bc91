#pragma once
// What controllers ask of a pod. Pure.
#include <cstdint>
#include <optional>

#include "core/object.h"

namespace steer::podfacts {

/// Succeeded or Failed: it will never run again.
bool terminal(const Object& pod);
/// Neither terminal nor being deleted.
bool active(const Object& pod);
/// Condition Ready is True.
bool ready(const Object& pod);
/// When Ready became True; nothing while it is not.
std::optional<Time> readySince(const Object& pod);
/// When the pod counts as available: ready for minReadySeconds. Nothing while it is not ready.
std::optional<Time> availableAt(const Object& pod, std::int64_t minReadySeconds);
/// The largest restart count of its containers.
std::int64_t restarts(const Object& pod);

}  // namespace steer::podfacts
