#include "schemas/defaults.h"

#include <algorithm>
#include <array>

#include "core/quantity.h"
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
    Row{"admissionregistration/v1.MatchResources", defaultMatchResources},
    Row{"admissionregistration/v1.MutatingWebhook", defaultMutatingWebhook},
    Row{"admissionregistration/v1.NamedRuleWithOperations", defaultAdmissionRule},
    Row{"admissionregistration/v1.RuleWithOperations", defaultAdmissionRule},
    Row{"admissionregistration/v1.ServiceReference", defaultWebhookService},
    Row{"admissionregistration/v1.ValidatingAdmissionPolicySpec", defaultAdmissionPolicySpec},
    Row{"admissionregistration/v1.ValidatingWebhook", defaultWebhook},
    Row{"apiextensions/v1.CustomResourceDefinitionSpec", defaultCustomResourceSpec},
    Row{"apiextensions/v1.ServiceReference", defaultWebhookService},
    Row{"apps/v1.DaemonSetSpec", defaultDaemonSetSpec},
    Row{"apps/v1.DeploymentSpec", defaultDeploymentSpec},
    Row{"apps/v1.ReplicaSetSpec", defaultReplicaSetSpec},
    Row{"apps/v1.StatefulSetOrdinals", defaultOrdinals},
    Row{"apps/v1.StatefulSetSpec", defaultStatefulSetSpec},
    Row{"autoscaling/v1.HorizontalPodAutoscalerSpec", defaultAutoscalerV1Spec},
    Row{"autoscaling/v2.HorizontalPodAutoscalerSpec", defaultAutoscalerV2Spec},
    Row{"batch/v1.CronJobSpec", defaultCronJobSpec},
    Row{"batch/v1.Job", defaultJob},
    Row{"batch/v1.JobSpec", defaultJobSpec},
    Row{"batch/v1.JobTemplateSpec", defaultJobTemplate},
    Row{"batch/v1.PodFailurePolicyOnPodConditionsPattern", defaultConditionPattern},
    Row{"core/v1.ConfigMapVolumeSource", defaultMode},
    Row{"core/v1.Container", defaultContainer},
    Row{"core/v1.DownwardAPIVolumeSource", defaultMode},
    Row{"core/v1.EndpointPort", defaultEndpointPort},
    Row{"core/v1.EphemeralContainer", defaultContainer},
    Row{"core/v1.GRPCAction", defaultGrpc},
    Row{"core/v1.HTTPGetAction", defaultHttpGet},
    Row{"core/v1.HostPathVolumeSource", defaultHostPath},
    Row{"core/v1.LimitRangeItem", defaultLimit},
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
    Row{"core/v1.ServiceAccount", defaultServiceAccount},
    Row{"core/v1.ServiceAccountTokenProjection", defaultTokenProjection},
    Row{"core/v1.ServicePort", defaultServicePort},
    Row{"core/v1.ServiceSpec", defaultServiceSpec},
    Row{"core/v1.Volume", defaultVolume},
    Row{"discovery/v1.Endpoint", defaultSliceEndpoint},
    Row{"discovery/v1.EndpointPort", defaultEndpointSlicePort},
    Row{"flowcontrol/v1.ExemptPriorityLevelConfiguration", defaultExemptLevel},
    Row{"flowcontrol/v1.FlowSchemaSpec", defaultFlowSchemaSpec},
    Row{"flowcontrol/v1.LimitedPriorityLevelConfiguration", defaultLimitedLevel},
    Row{"flowcontrol/v1.QueuingConfiguration", defaultQueuing},
    Row{"networking/v1.IngressClassParametersReference", defaultClassParameters},
    Row{"networking/v1.NetworkPolicyPort", defaultNetworkPolicyPort},
    Row{"networking/v1.NetworkPolicySpec", defaultNetworkPolicySpec},
    Row{"rbac/v1.RoleRef", defaultRoleRef},
    Row{"rbac/v1.Subject", defaultSubject},
    Row{"scheduling/v1.PriorityClass", defaultPriorityClass},
    Row{"storage/v1.CSIDriverSpec", defaultCsiDriverSpec},
    Row{"storage/v1.CSINodeDriver", defaultCsiNodeDriver},
    Row{"storage/v1.CSINodeSpec", defaultCsiNodeSpec},
    Row{"storage/v1.StorageClass", defaultStorageClass},
};
static_assert(std::is_sorted(kRules.begin(), kRules.end(), [](const Row& a, const Row& b) { return a.type < b.type; }));

/// Of a job that a template makes only the pod is defaulted: the rest is when the job is made.
enum class Rules { run, skipped };

void fillObject(const TypeSchema& type, json::object& object, Rules rules = Rules::run);

void fillValue(const FieldSchema& field, json::value& value, Rules rules = Rules::run) {
  if (field.type == nullptr) return;
  if (auto* object = value.if_object()) fillObject(*field.type, *object, rules);
}

/// What every request and limit of core/v1 is: whole milli-units, rounded up.
void roundAmounts(const FieldSchema& field, json::object& amounts) {
  if (field.scalar != Scalar::quantity) return;
  for (auto& [name, value] : amounts) {
    const auto amount = Quantity::fromJson(value);
    if (!amount.ok()) continue;
    const auto rounded = Quantity::ofMilli(amount.value().milli());
    if (amount.value() < rounded) value = rounded.text();
  }
}

/// A required field that nothing defaults reads as its zero value.
void fillZero(const FieldSchema& field, json::object& object) {
  if (!field.required || !field.keepZero || field.pointer || field.shape != Shape::scalar) return;
  if (object.contains(jkey(field.name))) return;
  if (field.scalar == Scalar::string) object[jkey(field.name)] = "";
  if (field.scalar == Scalar::boolean) object[jkey(field.name)] = false;
  if (field.scalar == Scalar::int32 || field.scalar == Scalar::int64) object[jkey(field.name)] = 0;
}

void fillObject(const TypeSchema& type, json::object& object, Rules rules) {
  dropGated(type.name, object);
  if (const auto rule = defaultRuleOf(type.name); rule != nullptr && rules == Rules::run) rule(object);
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
      if (type.name.starts_with("core/v1.")) roundAmounts(*field, *map);
    } else if (field->shape == Shape::scalar || field->shape == Shape::object) {
      fillValue(*field, value, type.name == "batch/v1.JobTemplateSpec" ? Rules::skipped : Rules::run);
    }
  }
  // Of our own kinds what is required is asked for.
  if (!type.name.starts_with("steersman/"))
    for (const auto& field : type.fields) fillZero(field, object);
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
  if (kind.gvk.group.empty() && kind.gvk.kind == "PersistentVolumeClaim") defaultClaim(object);
  // A specification that nobody wrote is an empty one.
  const auto* spec = kind.type->field("spec");
  const bool standing = spec != nullptr && spec->shape == Shape::object && spec->keepZero && !spec->pointer;
  if (standing && kind.gvk.group != "steersman.dev" && !kind.request) setIfAbsent(object, "spec", json::object());
  fillObject(*kind.type, object);
}

}  // namespace steer
