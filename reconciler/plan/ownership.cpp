#include <algorithm>

#include "reconciler/plan/plan.h"
#include "schemas/ownership_proof.h"

namespace steer {
namespace {

bool saysImmutable(std::string_view text) {
  for (const std::string_view sign : {"immutable", "may not change", "may not be changed", "updates to"})
    if (text.find(sign) != std::string_view::npos) return true;
  return false;
}

}  // namespace

static_assert(std::string_view(kFieldManager) == kReconcilerManager);
static_assert(std::string_view(kApplicationLabel) == kOwnerLabel);

bool ownedBy(const Object& object, std::string_view application) {
  return object.label(kApplicationLabel) == application && provenOwner(object.json()) == application;
}

std::optional<std::string> immutableField(const Error& error) {
  if (error.code != Errc::invalid) return std::nullopt;
  for (const auto& cause : error.causes)
    if (saysImmutable(cause.message)) return cause.field.empty() ? "spec" : cause.field;
  if (saysImmutable(error.message)) return "spec";
  return std::nullopt;
}

Wave waveOf(const Gvk& gvk) {
  const auto in = [&](std::initializer_list<std::string_view> kinds) {
    return std::find(kinds.begin(), kinds.end(), gvk.kind) != kinds.end();
  };
  if (in({"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass"})) return Wave::foundation;
  if (gvk.group == "rbac.authorization.k8s.io" ||
      in({"ConfigMap", "Secret", "ServiceAccount", "LimitRange", "ResourceQuota", "PersistentVolume",
          "PersistentVolumeClaim", "NetworkPolicy"}))
    return Wave::configuration;
  if (in({"Service", "Endpoints", "EndpointSlice"})) return Wave::services;
  if (in({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Pod", "Job", "CronJob"}))
    return Wave::workloads;
  return Wave::rest;
}

const char* waveName(Wave wave) {
  switch (wave) {
    case Wave::foundation:
      return "namespaces";
    case Wave::configuration:
      return "configuration";
    case Wave::services:
      return "services";
    case Wave::workloads:
      return "workloads";
    case Wave::rest:
      return "rest";
  }
  return "rest";
}

const char* actionName(PlanAction action) {
  switch (action) {
    case PlanAction::none:
      return "none";
    case PlanAction::create:
      return "create";
    case PlanAction::update:
      return "update";
    case PlanAction::replace:
      return "replace";
    case PlanAction::remove:
      return "delete";
  }
  return "none";
}

}  // namespace steer
