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
  for (const auto& row : kRules)
    if (row.kind == gvk.kind && row.group == gvk.group) return row.rule;
  return nullptr;
}

}  // namespace steer
