#pragma once
// The containers of a pod in the order they start, and small readings of a pod that several
// decisions share. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"

namespace steer {

enum class ContainerRole {
  init,     ///< runs to its end before the next one starts
  sidecar,  ///< an init container with restartPolicy Always: stays
  main,
};

struct ContainerSpec {
  ContainerRole role = ContainerRole::main;
  std::string name;
  const json::object* json = nullptr;  ///< into the pod, which must outlive this
};

enum class RestartPolicy { always, onFailure, never };

/// Init containers and sidecars in order, then the main containers.
std::vector<ContainerSpec> containersOf(const Object& pod);
const json::object* containerNamed(const Object& pod, std::string_view name);
RestartPolicy restartPolicyOf(const Object& pod);
/// Guaranteed | Burstable | BestEffort.
std::string qosClassOf(const Object& pod);
std::int64_t terminationGraceSeconds(const Object& pod);
bool usesHostNetwork(const Object& pod);
/// pod.status.phase is Succeeded or Failed.
bool isTerminalPhase(std::string_view phase);

}  // namespace steer
