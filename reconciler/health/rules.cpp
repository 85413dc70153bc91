#include "reconciler/health/rules.h"

#include <array>

namespace steer {

HealthRule healthRuleFor(std::string_view group, std::string_view kind) {
  struct Row {
    std::string_view group;
    std::string_view kind;
    HealthRule rule;
  };
  static constexpr std::array rows{
      Row{"", "Namespace", health::ofNamespace},
      Row{"", "PersistentVolumeClaim", health::ofClaim},
      Row{"", "Pod", health::ofPod},
      Row{"", "ReplicationController", health::ofReplicas},
      Row{"", "Service", health::ofService},
      Row{"apps", "Deployment", health::ofDeployment},
      Row{"apps", "ReplicaSet", health::ofReplicas},
      Row{"batch", "Job", health::ofJob},
      Row{"steersman.dev", "Application", health::ofApplication},
  };
  for (const auto& row : rows)
    if (row.group == group && row.kind == kind) return row.rule;
  return nullptr;
}

}  // namespace steer
