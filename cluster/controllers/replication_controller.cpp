#include "cluster/controllers/replication_controller.h"

#include "cluster/controllers/replicas.h"

namespace steer {
namespace {

LabelSelector selectorOf(const Object& controller) {
  return LabelSelector::fromMap(objectAt(controller.spec(), {"selector"}));
}

}  // namespace

std::unique_ptr<Controller> makeReplicationController() {
  return std::make_unique<ReplicaController>(
      ReplicaKind{"replication-controller", "replicationcontrollers", "ReplicationController", &selectorOf});
}

}  // namespace steer
