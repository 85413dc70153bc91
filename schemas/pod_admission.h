#pragma once
// What Kubernetes' admission adds to pods, besides defaulting. Pure, idempotent.
#include <string>
#include <string_view>

#include "core/json.h"

namespace steer {

/// "Guaranteed", "Burstable" or "BestEffort", from the containers' cpu and memory. Expects defaulted requests.
std::string_view qosClassOf(const json::object& pod);

/// Tolerations of failing nodes for 300 s, where the pod does not speak of them.
void addDefaultTolerations(json::object& spec);

/// Service account, priority, the tolerations of failing nodes for 300 s, status.phase and status.qosClass.
void applyPodAdmissionDefaults(json::object& pod);

inline constexpr const char* kApiAccessPath = "/var/run/secrets/kubernetes.io/serviceaccount";
inline constexpr const char* kApiAccessVolume = "kube-api-access";  ///< how the name of that volume begins

/// Some container has nothing of its own at kApiAccessPath.
bool lacksApiAccess(const json::object& pod);
/// "kube-api-access-x7k2p": the same for the same pod, so that a rehearsal and the real thing agree. Names that the
/// pod's own volumes have are avoided.
std::string apiAccessName(const json::object& pod);
/// What Kubernetes' admission mounts: a token of the account, the cluster's CA, the namespace.
json::object apiAccessVolume(std::string name);
/// Adds the volume, and mounts it in every container that has nothing of its own there.
void addApiAccess(json::object& pod, json::object volume);

}  // namespace steer
