#include "cluster/controllers/replica_set.h"

#include "cluster/controllers/replicas.h"

namespace steer {
namespace {

LabelSelector selectorOf(const Object& set) {
  auto selector = LabelSelector::fromObject(find(set.spec(), {"selector"}));
  return selector ? std::move(selector).value() : LabelSelector::nothing();
}

}  // namespace

std::unique_ptr<Controller> makeReplicaSetController() {
  return std::make_unique<ReplicaController>(
      ReplicaKind{"replicaset-controller", "replicasets.apps", "ReplicaSet", &selectorOf});
}

}  // namespace steer
