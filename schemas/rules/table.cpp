// Which kind has which rule.
#include <array>

#include "schemas/rules.h"

namespace steer {
namespace {

struct Row {
  std::string_view group;
  std::string_view kind;
  KindRule rule;
};

constexpr std::array kRules{
    Row{"", "PersistentVolume", checkVolume},
    Row{"", "PersistentVolumeClaim", checkClaim},
    Row{"apiextensions.k8s.io", "CustomResourceDefinition", checkDefinition},
    Row{"networking.k8s.io", "Ingress", checkIngress},
    Row{"networking.k8s.io", "NetworkPolicy", checkNetworkPolicy},
    Row{"policy", "PodDisruptionBudget", checkDisruptionBudget},
    Row{"rbac.authorization.k8s.io", "ClusterRole", checkClusterRole},
    Row{"rbac.authorization.k8s.io", "ClusterRoleBinding", checkClusterRoleBinding},
    Row{"rbac.authorization.k8s.io", "Role", checkRole},
    Row{"rbac.authorization.k8s.io", "RoleBinding", checkRoleBinding},
    Row{"", "ConfigMap", checkConfigMap},
    Row{"", "Pod", checkPod},
    Row{"", "ReplicationController", checkReplicationController},
    Row{"", "Secret", checkSecret},
    Row{"", "Service", checkService},
    Row{"apps", "DaemonSet", checkDaemonSet},
    Row{"apps", "Deployment", checkDeployment},
    Row{"apps", "ReplicaSet", checkReplicaSet},
    Row{"apps", "StatefulSet", checkStatefulSet},
    Row{"batch", "CronJob", checkCronJob},
    Row{"batch", "Job", checkJob},
    Row{"steersman.dev", "Application", checkApplication},
};

}  // namespace

KindRule ruleOf(const Gvk& gvk) {
  if (gvk.group == "autoscaling" && gvk.kind == "HorizontalPodAutoscaler")
    return gvk.version == "v1" ? checkAutoscalerV1 : checkAutoscaler;
  for (const auto& row : kRules)
    if (row.kind == gvk.kind && row.group == gvk.group) return row.rule;
  return nullptr;
}

}  // namespace steer
