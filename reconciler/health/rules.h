#pragma once
// The health rules: one file per kind in rules/, each a pure function, and the table that finds them.
// A new rule is a new file there, its name in CMakeLists.txt and its row in rules.cpp.
#include <string_view>

#include "reconciler/health/health.h"

namespace steer {

using HealthRule = Health (*)(const Object& object);

/// nullptr when the kind has no rule of its own.
HealthRule healthRuleFor(std::string_view group, std::string_view kind);

namespace health {

Health ofApplication(const Object& application);
Health ofClaim(const Object& claim);
Health ofDeployment(const Object& deployment);
Health ofJob(const Object& job);
Health ofNamespace(const Object& ns);
Health ofPod(const Object& pod);
/// ReplicaSet and ReplicationController.
Health ofReplicas(const Object& owner);
Health ofService(const Object& service);
/// Anything: Failed, Stalled or Degraded True = degraded; observedGeneration behind, Reconciling True,
/// Ready or Available not True = progressing; without a condition that says otherwise, healthy.
Health byConditions(const Object& object);

}  // namespace health
}  // namespace steer
