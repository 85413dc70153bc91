#include "schemas/defaults.h"

#include <algorithm>
#include <array>

#include "schemas/default_rules.h"
#include "schemas/normal_form.h"

namespace steer {
namespace {

struct Row {
  std::string_view type;
  DefaultRule rule;
};

// Sorted by type.
constexpr std::array kRules{
    Row{"apiextensions/v1.CustomResourceDefinitionSpec", defaultCustomResourceSpec},
    Row{"apps/v1.DaemonSetSpec", defaultDaemonSetSpec},
    Row{"apps/v1.DeploymentSpec", defaultDeploymentSpec},
    Row{"apps/v1.ReplicaSetSpec", defaultReplicaSetSpec},
    Row{"apps/v1.StatefulSetSpec", defaultStatefulSetSpec},
    Row{"autoscaling/v1.HorizontalPodAutoscalerSpec", defaultAutoscalerV1Spec},
    Row{"autoscaling/v2.HorizontalPodAutoscalerSpec", defaultAutoscalerV2Spec},
    Row{"batch/v1.CronJobSpec", defaultCronJobSpec},
    Row{"batch/v1.JobSpec", defaultJobSpec},
    Row{"core/v1.ConfigMapVolumeSource", defaultMode},
    Row{"core/v1.Container", defaultContainer},
    Row{"core/v1.DownwardAPIVolumeSource", defaultMode},
    Row{"core/v1.EndpointPort", defaultEndpointPort},
    Row{"core/v1.EphemeralContainer", defaultContainer},
    Row{"core/v1.GRPCAction", defaultGrpc},
    Row{"core/v1.HTTPGetAction", defaultHttpGet},
    Row{"core/v1.HostPathVolumeSource", defaultHostPath},
    Row{"core/v1.Namespace", defaultNamespace},
    Row{"core/v1.ObjectFieldSelector", defaultObjectField},
    Row{"core/v1.PersistentVolumeClaimSpec", defaultClaimSpec},
    Row{"core/v1.PersistentVolumeSpec", defaultPersistentVolumeSpec},
    Row{"core/v1.Pod", defaultPod},
    Row{"core/v1.PodSpec", defaultPodSpec},
    Row{"core/v1.Probe", defaultProbe},
    Row{"core/v1.ProjectedVolumeSource", defaultMode},
    Row{"core/v1.ReplicationController", defaultReplicationController},
    Row{"core/v1.Secret", defaultSecret},
    Row{"core/v1.SecretVolumeSource", defaultMode},
    Row{"core/v1.ServiceAccountTokenProjection", defaultTokenProjection},
    Row{"core/v1.ServicePort", defaultServicePort},
    Row{"core/v1.ServiceSpec", defaultServiceSpec},
    Row{"core/v1.Volume", defaultVolume},
    Row{"discovery/v1.EndpointPort", defaultEndpointSlicePort},
    Row{"networking/v1.NetworkPolicyPort", defaultNetworkPolicyPort},
    Row{"networking/v1.NetworkPolicySpec", defaultNetworkPolicySpec},
    Row{"rbac/v1.RoleRef", defaultRoleRef},
    Row{"rbac/v1.Subject", defaultSubject},
    Row{"scheduling/v1.PriorityClass", defaultPriorityClass},
    Row{"storage/v1.CSIDriverSpec", defaultCsiDriverSpec},
    Row{"storage/v1.StorageClass", defaultStorageClass},
};
static_assert(std::is_sorted(kRules.begin(), kRules.end(), [](const Row& a, const Row& b) { return a.type < b.type; }));

void fillObject(const TypeSchema& type, json::object& object);

void fillValue(const FieldSchema& field, json::value& value) {
  if (field.type == nullptr) return;
  if (auto* object = value.if_object()) fillObject(*field.type, *object);
}

void fillObject(const TypeSchema& type, json::object& object) {
  if (const auto rule = defaultRuleOf(type.name)) rule(object);
  for (const auto& field : type.fields)
    if (field.defaultValue && isZero(object, field.name) && (!field.pointer || isAbsent(object, field.name)))
      object[jkey(field.name)] = *field.defaultValue;
  for (auto& [key, value] : object) {
    const auto* field = type.field({key.data(), key.size()});
    if (field == nullptr) continue;
    if (auto* list = value.if_array(); list != nullptr && field->shape == Shape::list) {
      for (auto& item : *list) fillValue(*field, item);
    } else if (auto* map = value.if_object(); map != nullptr && field->shape == Shape::map) {
      for (auto& [name, item] : *map) fillValue(*field, item);
    } else if (field->shape == Shape::scalar || field->shape == Shape::object) {
      fillValue(*field, value);
    }
  }
}

}  // namespace

DefaultRule defaultRuleOf(std::string_view typeName) {
  const auto at = std::lower_bound(kRules.begin(), kRules.end(), typeName,
                                   [](const Row& row, std::string_view name) { return row.type < name; });
  return at != kRules.end() && at->type == typeName ? at->rule : nullptr;
}

bool isAbsent(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(jkey(key));
  return value == nullptr || value->is_null();
}

bool isZero(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(jkey(key));
  if (value == nullptr || value->is_null()) return true;
  if (const auto* text = value->if_string()) return text->empty();
  if (const auto* flag = value->if_bool()) return !*flag;
  return value->is_number() && asInt(*value) == 0;
}

void setIfAbsent(json::object& object, std::string_view key, const json::value& value) {
  if (isAbsent(object, key)) object[jkey(key)] = value;
}

void setIfZero(json::object& object, std::string_view key, const json::value& value) {
  if (isZero(object, key)) object[jkey(key)] = value;
}

void applyDefaults(const KindSchema& kind, json::object& object) {
  toNormalForm(kind, object);
  dropMeaningless(kind, object);
  fillObject(*kind.type, object);
}

}  // namespace steer
