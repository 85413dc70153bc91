// Fields of features that Kubernetes 1.35 ships switched off. Its server knows them and leaves them out of what it
// stores; nothing here carries them out either.
#include <array>

#include "schemas/default_rules.h"

namespace steer {
namespace {

struct Gated {
  std::string_view type;
  std::string_view field;
};

constexpr std::array kGated{
    Gated{"apps/v1.RollingUpdateStatefulSetStrategy", "maxUnavailable"},
    Gated{"autoscaling/v2.HPAScalingRules", "tolerance"},
    Gated{"coordination/v1.LeaseSpec", "preferredHolder"},
    Gated{"coordination/v1.LeaseSpec", "strategy"},
    Gated{"core/v1.Container", "restartPolicyRules"},
    Gated{"core/v1.EnvVarSource", "fileKeyRef"},
    Gated{"core/v1.EphemeralContainer", "restartPolicyRules"},
    Gated{"core/v1.NodeSpec", "configSource"},
    Gated{"core/v1.PodSpec", "hostnameOverride"},
    Gated{"core/v1.PodSpec", "workloadRef"},
    Gated{"core/v1.VolumeProjection", "clusterTrustBundle"},
    Gated{"core/v1.VolumeProjection", "podCertificate"},
    Gated{"discovery/v1.Endpoint", "deprecatedTopology"},
    Gated{"storage/v1.CSIDriverSpec", "nodeAllocatableUpdatePeriodSeconds"},
    Gated{"storage/v1.CSIDriverSpec", "serviceAccountTokenInSecrets"},
};

/// Volumes of images, with what mounts them.
void dropImageVolumes(json::object& spec) {
  auto* member = spec.if_contains("volumes");
  auto* volumes = member == nullptr ? nullptr : member->if_array();
  if (volumes == nullptr) return;
  json::array kept;
  std::vector<std::string> gone;
  for (auto& volume : *volumes) {
    const auto* image = find(volume, {"image"});
    if (image != nullptr && image->is_object()) gone.emplace_back(stringAt(volume, {"name"}));
    else kept.push_back(std::move(volume));
  }
  if (kept.empty()) spec.stable_erase("volumes");
  else *volumes = std::move(kept);
  if (gone.empty()) return;
  for (const auto* list : {"containers", "initContainers", "ephemeralContainers"})
    if (auto* containers = spec.if_contains(list); containers != nullptr && containers->is_array())
      for (auto& container : containers->get_array()) {
        auto* mounts = container.is_object() ? container.get_object().if_contains("volumeMounts") : nullptr;
        if (mounts == nullptr || !mounts->is_array()) continue;
        json::array rest;
        for (auto& mount : mounts->get_array())
          if (std::find(gone.begin(), gone.end(), stringAt(mount, {"name"})) == gone.end())
            rest.push_back(std::move(mount));
        if (rest.empty()) container.get_object().stable_erase("volumeMounts");
        else *mounts = std::move(rest);
      }
}

/// Only containers that run before the others may have a restart policy of their own, and only Always.
void dropRestartPolicies(json::object& spec) {
  for (const auto* list : {"containers", "initContainers", "ephemeralContainers"})
    if (auto* containers = spec.if_contains(list); containers != nullptr && containers->is_array())
      for (auto& container : containers->get_array()) {
        const bool stays =
            std::string_view(list) == "initContainers" && stringAt(container, {"restartPolicy"}) == "Always";
        if (container.is_object() && !stays) container.get_object().stable_erase("restartPolicy");
      }
}

/// A lifecycle that says nothing but how to stop says nothing.
void dropStopSignal(json::object& container) {
  auto* member = container.if_contains("lifecycle");
  auto* lifecycle = member == nullptr ? nullptr : member->if_object();
  if (lifecycle == nullptr || !lifecycle->contains("stopSignal")) return;
  lifecycle->stable_erase("stopSignal");
  if (lifecycle->empty()) container.stable_erase("lifecycle");
}

}  // namespace

void dropGated(std::string_view typeName, json::object& object) {
  for (const auto& gated : kGated)
    if (gated.type == typeName) object.stable_erase(jkey(gated.field));
  if (typeName == "core/v1.Container" || typeName == "core/v1.EphemeralContainer") dropStopSignal(object);
  if (typeName != "core/v1.PodSpec") return;
  dropImageVolumes(object);
  dropRestartPolicies(object);
}

}  // namespace steer
