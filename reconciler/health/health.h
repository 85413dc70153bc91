#pragma once
// Health: has an applied object become what it was asked to be? One rule per kind in rules/;
// anything with status.conditions has a default. Pure; the reason is words for a person.
#include <string>

#include "core/object.h"

namespace steer {

enum class HealthState {
  healthy,      ///< serves as asked
  progressing,  ///< on the way; wait
  degraded,     ///< will not get there by waiting
};

struct Health {
  HealthState state = HealthState::healthy;
  std::string reason{};  ///< "2 of 3 replicas are available"; empty when healthy without remark
};

/// Health of a live object as the API server shows it.
Health assessHealth(const Object& object);
/// "healthy", "progressing", "degraded".
const char* healthName(HealthState state);
/// The worse of the two: degraded over progressing over healthy.
HealthState worse(HealthState a, HealthState b);

}  // namespace steer
