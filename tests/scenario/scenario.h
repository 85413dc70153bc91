#pragma once
// Short words for scenario tests: manifests and questions to a simulated cluster.
#include <cstdlib>
#include <set>
#include <string>

#include "simulator/simulator.h"

namespace steer::scenario {

/// The test's own seed, or the one in STEER_SEED to replay a failure.
inline std::uint64_t seedFor(std::uint64_t own) {
  const char* text = std::getenv("STEER_SEED");
  return text == nullptr ? own : std::strtoull(text, nullptr, 10);
}

inline std::string deployment(const std::string& name, int replicas, const std::string& image,
                              const std::string& rolling = "", const std::string& extra = "",
                              const std::string& annotation = "", const std::string& podSpec = "") {
  std::string out = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n";
  out += "  replicas: " + std::to_string(replicas) + "\n" + extra;
  if (!rolling.empty()) out += "  strategy: {type: RollingUpdate, rollingUpdate: {" + rolling + "}}\n";
  out +=
      "  selector: {matchLabels: {app: " + name + "}}\n  template:\n    metadata:\n      labels: {app: " + name + "}\n";
  if (!annotation.empty()) out += "      annotations: {" + annotation + "}\n";
  out += "    spec:\n" + podSpec + "      containers: [{name: c, image: " + image +
         ", ports: [{name: http, containerPort: 8080}], resources: {requests: {cpu: 100m, memory: 64Mi}}}]\n";
  return out;
}

inline ObjectPtr get(const Simulator& c, const std::string& resource, const std::string& name,
                     const std::string& ns = "default") {
  return c.state().get(resource, ns, name);
}

inline std::string imageOf(const Object& pod) {
  return std::string(stringAt(arrayAt(pod.spec(), {"containers"})[0], {"image"}));
}

inline std::string conditionReason(const Object& object, std::string_view type) {
  for (const auto& condition : arrayAt(object.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == type) return std::string(stringAt(condition, {"reason"}));
  return "";
}

/// Pods that are neither finished nor being deleted.
inline std::size_t active(const Simulator& c, const std::string& selector) {
  std::size_t n = 0;
  for (const auto& pod : c.pods("default", selector)) {
    const auto phase = stringAt(pod->status(), {"phase"});
    if (!pod->deleting() && phase != "Succeeded" && phase != "Failed") ++n;
  }
  return n;
}

/// As `kubectl rollout status` sees it.
inline bool rolledOut(const Simulator& c, const std::string& name, const std::string& ns = "default") {
  const auto live = c.state().get("deployments.apps", ns, name);
  if (!live || intAt(live->status(), {"observedGeneration"}) < live->generation()) return false;
  const auto want = intAt(live->spec(), {"replicas"}, 1);
  return intAt(live->status(), {"updatedReplicas"}) == want && intAt(live->status(), {"replicas"}) == want &&
         intAt(live->status(), {"availableReplicas"}) == want;
}

inline bool hasEvent(const Simulator& c, const std::string& reason, const std::string& ns = "default") {
  bool found = false;
  c.state().each("events", ns,
                 [&](const ObjectPtr& event) { found = found || stringAt(event->json(), {"reason"}) == reason; });
  return found;
}

}  // namespace steer::scenario
