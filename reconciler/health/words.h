#pragma once
// What the health rules read of a status, and the verdicts they give. Pure.
#include <string>
#include <string_view>
#include <utility>

#include "reconciler/health/health.h"

namespace steer::health {

inline Health healthy(std::string reason = "") { return {HealthState::healthy, std::move(reason)}; }
inline Health progressing(std::string reason) { return {HealthState::progressing, std::move(reason)}; }
inline Health degraded(std::string reason) { return {HealthState::degraded, std::move(reason)}; }

/// nullptr when the status has no condition of this type.
const json::object* conditionOf(const Object& object, std::string_view type);
bool conditionIs(const Object& object, std::string_view type, std::string_view status);
/// The message of a condition, else its reason, else the fallback.
std::string messageOf(const Object& object, std::string_view type, std::string fallback);
/// status.observedGeneration is behind, or missing although the object has a generation.
bool notObserved(const Object& object);
/// "2 of 3 replicas are available", "0 of 1 replica is available".
std::string countText(std::int64_t have, std::int64_t want, std::string_view what);
/// "1 replica", "3 replicas".
std::string countOf(std::int64_t n, std::string_view noun);

}  // namespace steer::health
