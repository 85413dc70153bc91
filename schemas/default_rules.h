#pragma once
// The defaulting rules, by type; one file per family in defaults/. A rule sees its object before the
// objects inside are defaulted. Pure.
#include <string_view>

#include "core/json.h"

namespace steer {

using DefaultRule = void (*)(json::object& object);

/// The rule of a type ("core/v1.Container"); nullptr when it has none.
DefaultRule defaultRuleOf(std::string_view typeName);

/// Missing, null, "", 0, false: what a Go field without a pointer cannot tell apart.
bool isZero(const json::object& object, std::string_view key);
/// Missing or null.
bool isAbsent(const json::object& object, std::string_view key);
/// For Go pointers: an explicit zero stays.
void setIfAbsent(json::object& object, std::string_view key, const json::value& value);
void setIfZero(json::object& object, std::string_view key, const json::value& value);

/// Drops the fields of a type that belong to features which are switched off.
void dropGated(std::string_view typeName, json::object& object);

// Rules, by family.
void defaultClaim(json::object& claim);
void defaultCsiNodeSpec(json::object& spec);
void defaultCsiNodeDriver(json::object& driver);
void defaultServiceAccount(json::object& account);
void defaultClassParameters(json::object& parameters);
void defaultSliceEndpoint(json::object& endpoint);
void defaultJob(json::object& job);
void defaultJobTemplate(json::object& jobTemplate);
void defaultOrdinals(json::object& ordinals);
void defaultLimit(json::object& limit);
void defaultContainer(json::object& container);
void defaultProbe(json::object& probe);
void defaultHttpGet(json::object& action);
void defaultGrpc(json::object& action);
void defaultPodSpec(json::object& spec);
void defaultPod(json::object& pod);
void defaultVolume(json::object& volume);
void defaultMode(json::object& source);
void defaultTokenProjection(json::object& projection);
void defaultHostPath(json::object& source);
void defaultObjectField(json::object& selector);
void defaultServiceSpec(json::object& spec);
void defaultServicePort(json::object& port);
void defaultEndpointPort(json::object& port);
void defaultEndpointSlicePort(json::object& port);
void defaultSecret(json::object& secret);
void defaultNamespace(json::object& ns);
void defaultReplicationController(json::object& controller);
void defaultReplicaSetSpec(json::object& spec);
void defaultDeploymentSpec(json::object& spec);
void defaultStatefulSetSpec(json::object& spec);
void defaultDaemonSetSpec(json::object& spec);
void defaultJobSpec(json::object& spec);
void defaultConditionPattern(json::object& pattern);
void defaultCronJobSpec(json::object& spec);
void defaultPersistentVolumeSpec(json::object& spec);
void defaultClaimSpec(json::object& spec);
void defaultStorageClass(json::object& storageClass);
void defaultCsiDriverSpec(json::object& spec);
void defaultPriorityClass(json::object& priorityClass);
void defaultNetworkPolicySpec(json::object& spec);
void defaultNetworkPolicyPort(json::object& port);
void defaultAutoscalerV1Spec(json::object& spec);
void defaultAutoscalerV2Spec(json::object& spec);
void defaultRoleRef(json::object& ref);
void defaultSubject(json::object& subject);
void defaultWebhook(json::object& webhook);
void defaultMutatingWebhook(json::object& webhook);
void defaultWebhookService(json::object& service);
void defaultAdmissionRule(json::object& rule);
void defaultMatchResources(json::object& resources);
void defaultAdmissionPolicySpec(json::object& spec);
void defaultFlowSchemaSpec(json::object& spec);
void defaultExemptLevel(json::object& level);
void defaultLimitedLevel(json::object& level);
void defaultQueuing(json::object& queuing);
void defaultCustomResourceSpec(json::object& spec);

}  // namespace steer
