// Which kind has which rule.
#include <array>

#include "schemas/rules.h"

namespace steer {
namespace {

struct Row {
  std::string_view group;
  std::string_view kind;
  KindRule rule;
  Coverage coverage = Coverage::whole;
};

constexpr std::array kRules{
    Row{"", "ConfigMap", checkConfigMap},
    Row{"", "Endpoints", checkEndpoints},
    Row{"", "LimitRange", checkLimitRange},
    Row{"", "Namespace", checkNamespace},
    Row{"", "Node", checkNode},
    Row{"", "PersistentVolume", checkVolume},
    Row{"", "PersistentVolumeClaim", checkClaim},
    Row{"", "Pod", checkPod},
    Row{"", "PodTemplate", checkPodTemplateObject},
    Row{"", "ReplicationController", checkReplicationController},
    Row{"", "ResourceQuota", checkQuota},
    Row{"", "Secret", checkSecret},
    Row{"", "Service", checkService},
    Row{"", "ServiceAccount", checkServiceAccount},
    Row{"admissionregistration.k8s.io", "MutatingWebhookConfiguration", checkMutatingWebhooks},
    Row{"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", checkAdmissionPolicy},
    Row{"admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", checkAdmissionPolicyBinding},
    Row{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", checkValidatingWebhooks},
    Row{"apiextensions.k8s.io", "CustomResourceDefinition", checkDefinition},
    Row{"apps", "DaemonSet", checkDaemonSet},
    Row{"apps", "Deployment", checkDeployment},
    Row{"apps", "ReplicaSet", checkReplicaSet},
    Row{"apps", "StatefulSet", checkStatefulSet},
    Row{"batch", "CronJob", checkCronJob},
    Row{"batch", "Job", checkJob},
    Row{"certificates.k8s.io", "CertificateSigningRequest", checkSigningRequest},
    Row{"coordination.k8s.io", "Lease", checkLease},
    Row{"discovery.k8s.io", "EndpointSlice", checkEndpointSlice},
    Row{"flowcontrol.apiserver.k8s.io", "FlowSchema", checkFlowSchema},
    Row{"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", checkPriorityLevel},
    Row{"networking.k8s.io", "Ingress", checkIngress},
    Row{"networking.k8s.io", "IngressClass", checkIngressClass},
    Row{"networking.k8s.io", "NetworkPolicy", checkNetworkPolicy},
    Row{"node.k8s.io", "RuntimeClass", checkRuntimeClass},
    Row{"policy", "PodDisruptionBudget", checkDisruptionBudget},
    Row{"rbac.authorization.k8s.io", "ClusterRole", checkClusterRole},
    Row{"rbac.authorization.k8s.io", "ClusterRoleBinding", checkClusterRoleBinding},
    Row{"rbac.authorization.k8s.io", "Role", checkRole},
    Row{"rbac.authorization.k8s.io", "RoleBinding", checkRoleBinding},
    Row{"scheduling.k8s.io", "PriorityClass", checkPriorityClass},
    Row{"storage.k8s.io", "CSIDriver", checkCsiDriver},
    Row{"storage.k8s.io", "CSINode", checkCsiNode},
    Row{"storage.k8s.io", "CSIStorageCapacity", checkStorageCapacity},
    Row{"storage.k8s.io", "StorageClass", checkStorageClass},
    Row{"storage.k8s.io", "VolumeAttributesClass", checkVolumeAttributesClass},
    Row{"storage.k8s.io", "VolumeAttachment", checkAttachment},
    Row{"steersman.dev", "Application", checkApplication, Coverage::beside},
    Row{"steersman.dev", "GitRepository", checkGitRepository, Coverage::beside},
};

}  // namespace

KindRule ruleOf(const Gvk& gvk) {
  if (gvk.group == "autoscaling" && gvk.kind == "HorizontalPodAutoscaler")
    return gvk.version == "v1" ? checkAutoscalerV1 : checkAutoscaler;
  for (const auto& row : kRules)
    if (row.kind == gvk.kind && row.group == gvk.group) return row.rule;
  return nullptr;
}

Coverage coverageOf(const Gvk& gvk) {
  if (gvk.group == "autoscaling" && gvk.kind == "HorizontalPodAutoscaler") return Coverage::whole;
  for (const auto& row : kRules)
    if (row.kind == gvk.kind && row.group == gvk.group) return row.coverage;
  return Coverage::beside;
}

}  // namespace steer
