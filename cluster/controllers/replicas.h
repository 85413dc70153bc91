#pragma once
// The shared core of ReplicaSet and ReplicationController: keep spec.replicas active pods that
// match the selector. Pure. Source of the rules: Kubernetes documentation, "ReplicaSet" (scale-down
// order, adoption) and the API reference of their status.
#include <string>

#include "core/controller.h"
#include "core/selector.h"

namespace steer {

struct ReplicaKind {
  std::string controllerName;                  ///< "replicaset-controller"
  std::string resource;                        ///< "replicasets.apps"
  std::string kind;                            ///< "ReplicaSet"
  LabelSelector (*selectorOf)(const Object&);  ///< the two kinds write selectors differently
};

class ReplicaController final : public Controller {
 public:
  explicit ReplicaController(ReplicaKind kind) : kind_(std::move(kind)) {}
  std::string_view name() const override { return kind_.controllerName; }
  std::vector<std::string> resources() const override { return {kind_.resource, "pods"}; }
  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override;
  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override;
  /// Records condition ReplicaFailure and event FailedCreate or FailedDelete.
  Decision refused(const Snapshot& snapshot, const Key& key, const Write& write, const Error& error,
                   Time now) const override;

 private:
  ReplicaKind kind_;
};

/// At most this many pods are created or deleted by one decision. The first refused write ends the
/// decision, so a quota that is used up costs one refused request per attempt.
inline constexpr std::size_t kReplicaBurst = 500;

}  // namespace steer
