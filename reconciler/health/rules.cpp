#include "reconciler/health/rules.h"

#include <algorithm>
#include <array>
#include <utility>

namespace steer {
namespace {

Health healthy(std::string reason = "") { return {HealthState::healthy, std::move(reason)}; }
Health progressing(std::string reason) { return {HealthState::progressing, std::move(reason)}; }
Health degraded(std::string reason) { return {HealthState::degraded, std::move(reason)}; }

const json::object* conditionOf(const Object& object, std::string_view type) {
  for (const auto& item : arrayAt(object.status(), {"conditions"}))
    if (stringAt(item, {"type"}) == type) return item.if_object();
  return nullptr;
}

bool conditionIs(const Object& object, std::string_view type, std::string_view status) {
  const auto* condition = conditionOf(object, type);
  return condition != nullptr && stringAt(*condition, {"status"}) == status;
}

std::string messageOf(const Object& object, std::string_view type, std::string fallback) {
  const auto* condition = conditionOf(object, type);
  const auto message = condition == nullptr ? "" : stringAt(*condition, {"message"});
  return message.empty() ? std::move(fallback) : std::string(message);
}

bool notObserved(const Object& object) {
  const auto* observed = find(object.status(), {"observedGeneration"});
  return object.generation() > 0 && (observed == nullptr || asInt(*observed).value_or(0) < object.generation());
}

std::string count(std::int64_t have, std::int64_t want, const char* what) {
  return std::to_string(have) + " of " + std::to_string(want) + " replicas are " + what;
}

Health deploymentHealth(const Object& d) {
  if (boolAt(d.spec(), {"paused"})) return healthy("paused");
  if (notObserved(d)) return progressing("the controller has not seen the newest specification yet");
  const auto want = intAt(d.spec(), {"replicas"}, 1);
  const auto updated = intAt(d.status(), {"updatedReplicas"});
  const auto total = intAt(d.status(), {"replicas"});
  const auto available = intAt(d.status(), {"availableReplicas"});
  if (const auto* condition = conditionOf(d, "Progressing");
      condition != nullptr && stringAt(*condition, {"reason"}) == "ProgressDeadlineExceeded")
    return degraded(messageOf(d, "Progressing", "the rollout made no progress within its deadline"));
  if (conditionIs(d, "ReplicaFailure", "True"))
    return degraded(messageOf(d, "ReplicaFailure", "pods cannot be created"));
  if (updated < want) return progressing(count(updated, want, "of the newest version"));
  if (total > updated) return progressing(std::to_string(total - updated) + " replicas of older versions remain");
  if (available < want) return progressing(count(available, want, "available"));
  return healthy();
}

Health replicasHealth(const Object& o) {
  if (notObserved(o)) return progressing("the controller has not seen the newest specification yet");
  if (conditionIs(o, "ReplicaFailure", "True"))
    return degraded(messageOf(o, "ReplicaFailure", "pods cannot be created"));
  const auto want = intAt(o.spec(), {"replicas"}, 1);
  const auto available = intAt(o.status(), {"availableReplicas"});
  if (available < want) return progressing(count(available, want, "available"));
  if (intAt(o.status(), {"replicas"}) > want) return progressing("surplus replicas are being removed");
  return healthy();
}

/// The first waiting or failed container that explains why a pod is not ready.
std::string containerTrouble(const Object& pod, bool& hopeless) {
  static constexpr std::array<std::string_view, 6> kHopeless{"CrashLoopBackOff",     "ImagePullBackOff",
                                                             "ErrImagePull",         "InvalidImageName",
                                                             "CreateContainerError", "CreateContainerConfigError"};
  for (const auto* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const auto& status : arrayAt(pod.status(), {list})) {
      const auto reason = stringAt(status, {"state", "waiting", "reason"});
      if (std::find(kHopeless.begin(), kHopeless.end(), reason) != kHopeless.end()) {
        hopeless = true;
        return "container " + std::string(stringAt(status, {"name"})) + ": " + std::string(reason);
      }
    }
  }
  return "";
}

Health podHealth(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  if (phase == "Succeeded") return healthy("completed");
  if (phase == "Failed")
    return degraded("failed: " + std::string(stringAt(pod.status(), {"reason"}, stringAt(pod.status(), {"message"}))));
  if (conditionIs(pod, "Ready", "True")) return healthy();
  bool hopeless = false;
  const auto trouble = containerTrouble(pod, hopeless);
  if (hopeless) return degraded(trouble);
  if (conditionIs(pod, "PodScheduled", "False"))
    return progressing("not scheduled: " + messageOf(pod, "PodScheduled", "no node fits"));
  return progressing("not ready yet");
}

Health serviceHealth(const Object& service) {
  if (stringAt(service.spec(), {"type"}) == "LoadBalancer" &&
      arrayAt(service.status(), {"loadBalancer", "ingress"}).empty())
    return progressing("waiting for an address of the load balancer");
  return healthy();
}

Health namespaceHealth(const Object& ns) {
  if (stringAt(ns.status(), {"phase"}) == "Terminating") return progressing("is being deleted");
  return healthy();
}

Health jobHealth(const Object& job) {
  if (conditionIs(job, "Complete", "True")) return healthy("completed");
  if (conditionIs(job, "Failed", "True")) return degraded(messageOf(job, "Failed", "the job failed"));
  if (conditionIs(job, "Suspended", "True")) return healthy("suspended");
  return progressing("running");
}

Health claimHealth(const Object& claim) {
  const auto phase = stringAt(claim.status(), {"phase"});
  if (phase == "Bound") return healthy();
  if (phase == "Lost") return degraded("its volume is lost");
  return progressing("not bound yet");
}

}  // namespace

Health healthByConditions(const Object& object) {
  if (find(object.status(), {"observedGeneration"}) != nullptr && notObserved(object))
    return progressing("the newest specification has not been seen yet");
  for (const char* bad : {"Failed", "Stalled", "Degraded"})
    if (conditionIs(object, bad, "True")) return degraded(messageOf(object, bad, bad));
  for (const char* good : {"Ready", "Available"}) {
    if (conditionIs(object, good, "True")) return healthy();
    if (conditionOf(object, good) != nullptr)
      return progressing(messageOf(object, good, std::string(good) + " is not true yet"));
  }
  return healthy();
}

HealthRule healthRuleFor(std::string_view group, std::string_view kind) {
  struct Row {
    std::string_view group;
    std::string_view kind;
    HealthRule rule;
  };
  static constexpr std::array<Row, 10> rows{{
      {"apps", "Deployment", deploymentHealth},
      {"apps", "ReplicaSet", replicasHealth},
      {"", "ReplicationController", replicasHealth},
      {"", "Pod", podHealth},
      {"", "Service", serviceHealth},
      {"", "Namespace", namespaceHealth},
      {"", "PersistentVolumeClaim", claimHealth},
      {"batch", "Job", jobHealth},
      {"", "Node", healthByConditions},
      {"steersman.dev", "Application", healthByConditions},
  }};
  for (const auto& row : rows)
    if (row.group == group && row.kind == kind) return row.rule;
  return nullptr;
}

}  // namespace steer
