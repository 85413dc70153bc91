// Controllers of pods.
#include "schemas/default_rules.h"

namespace steer {
namespace {

bool isRollingUpdate(json::object& spec, std::string_view member) {
  auto& strategy = ensureObject(spec, member);
  setIfZero(strategy, "type", "RollingUpdate");
  return stringAt(strategy, {"type"}) == "RollingUpdate";
}

}  // namespace

void defaultDeploymentSpec(json::object& spec) {
  setIfAbsent(spec, "replicas", 1);
  if (isRollingUpdate(spec, "strategy")) {
    auto& rolling = ensureObject(ensureObject(spec, "strategy"), "rollingUpdate");
    setIfAbsent(rolling, "maxUnavailable", "25%");
    setIfAbsent(rolling, "maxSurge", "25%");
  }
  setIfAbsent(spec, "revisionHistoryLimit", 10);
  setIfAbsent(spec, "progressDeadlineSeconds", 600);
}

void defaultReplicaSetSpec(json::object& spec) { setIfAbsent(spec, "replicas", 1); }

void defaultReplicationController(json::object& controller) {
  const json::object labels = objectAt(controller, {"spec", "template", "metadata", "labels"});
  auto& spec = ensureObject(controller, "spec");
  setIfAbsent(spec, "replicas", 1);
  if (labels.empty()) return;
  if (objectAt(spec, {"selector"}).empty()) spec["selector"] = labels;
  if (objectAt(controller, {"metadata", "labels"}).empty()) ensureObject(controller, "metadata")["labels"] = labels;
}

void defaultStatefulSetSpec(json::object& spec) {
  setIfAbsent(spec, "replicas", 1);
  setIfZero(spec, "podManagementPolicy", "OrderedReady");
  if (isRollingUpdate(spec, "updateStrategy"))
    setIfAbsent(ensureObject(ensureObject(spec, "updateStrategy"), "rollingUpdate"), "partition", 0);
  setIfAbsent(spec, "revisionHistoryLimit", 10);
  auto& retention = ensureObject(spec, "persistentVolumeClaimRetentionPolicy");
  setIfZero(retention, "whenDeleted", "Retain");
  setIfZero(retention, "whenScaled", "Retain");
}

void defaultDaemonSetSpec(json::object& spec) {
  if (isRollingUpdate(spec, "updateStrategy")) {
    auto& rolling = ensureObject(ensureObject(spec, "updateStrategy"), "rollingUpdate");
    setIfAbsent(rolling, "maxUnavailable", 1);
    setIfAbsent(rolling, "maxSurge", 0);
  }
  setIfAbsent(spec, "revisionHistoryLimit", 10);
}

void defaultJobSpec(json::object& spec) {
  if (isAbsent(spec, "completions") && isAbsent(spec, "parallelism")) spec["completions"] = 1;
  setIfAbsent(spec, "parallelism", 1);
  // With a limit per index there is none for the job as a whole.
  setIfAbsent(spec, "backoffLimit", isAbsent(spec, "backoffLimitPerIndex") ? 6 : 2147483647);
  setIfAbsent(spec, "completionMode", "NonIndexed");
  setIfAbsent(spec, "suspend", false);
  setIfAbsent(spec, "podReplacementPolicy", isAbsent(spec, "podFailurePolicy") ? "TerminatingOrFailed" : "Failed");
}

void defaultJob(json::object& job) {
  auto* spec = job.if_contains("spec");
  if (spec != nullptr && spec->is_object()) setIfAbsent(spec->get_object(), "manualSelector", false);
}

void defaultJobTemplate(json::object& jobTemplate) { setIfAbsent(jobTemplate, "metadata", json::object()); }

void defaultOrdinals(json::object& ordinals) { setIfAbsent(ordinals, "start", 0); }

void defaultConditionPattern(json::object& pattern) { setIfZero(pattern, "status", "True"); }

void defaultCronJobSpec(json::object& spec) {
  setIfZero(spec, "concurrencyPolicy", "Allow");
  setIfAbsent(spec, "suspend", false);
  setIfAbsent(spec, "successfulJobsHistoryLimit", 3);
  setIfAbsent(spec, "failedJobsHistoryLimit", 1);
}

void defaultAutoscalerV1Spec(json::object& spec) {
  setIfAbsent(spec, "minReplicas", 1);
  setIfAbsent(spec, "targetCPUUtilizationPercentage", 80);
}

void defaultAutoscalerV2Spec(json::object& spec) {
  setIfAbsent(spec, "minReplicas", 1);
  if (arrayAt(spec, {"metrics"}).empty())
    spec["metrics"] = json::array{json::object{
        {"type", "Resource"},
        {"resource", json::object{{"name", "cpu"},
                                  {"target", json::object{{"type", "Utilization"}, {"averageUtilization", 80}}}}}}};
  auto* behavior = spec.if_contains("behavior");
  if (behavior == nullptr || !behavior->is_object()) return;
  const auto percent = [] { return json::object{{"type", "Percent"}, {"value", 100}, {"periodSeconds", 15}}; };
  auto& up = ensureObject(behavior->get_object(), "scaleUp");
  setIfAbsent(up, "stabilizationWindowSeconds", 0);
  setIfAbsent(up, "selectPolicy", "Max");
  if (isAbsent(up, "policies"))
    up["policies"] = json::array{json::object{{"type", "Pods"}, {"value", 4}, {"periodSeconds", 15}}, percent()};
  auto& down = ensureObject(behavior->get_object(), "scaleDown");
  setIfAbsent(down, "selectPolicy", "Max");
  if (isAbsent(down, "policies")) down["policies"] = json::array{percent()};
}

}  // namespace steer
