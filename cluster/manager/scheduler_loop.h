#pragma once
// SchedulerLoop: finds nodes for pods without one, many per step, and binds them by batch. Pods that
// fit nowhere wait until nodes or the room on them change.
// Thread rule: one driver steps it. Failure rule: a refused binding gives the place back and the pod
// is tried again.
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "cluster/client/informer.h"
#include "cluster/manager/event_recorder.h"
#include "cluster/scheduler/schedule.h"
#include "core/loop.h"
#include "core/random.h"

namespace steer {

class SchedulerLoop final : public Loop {
 public:
  SchedulerLoop(Client& client, Random& random);
  ~SchedulerLoop() override;
  std::string_view name() const override { return "scheduler"; }
  Next step(Time now) override;

 private:
  void takeIn(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after);
  void takePod(const ObjectPtr& before, const ObjectPtr& after);
  void takeNode(const ObjectPtr& before, const ObjectPtr& after);
  void wakeParked();
  std::vector<ObjectPtr> nextPods();
  void place(std::vector<ObjectPtr> pods, Time now);
  void bind(std::vector<Placement> placements, Time now);
  void refuse(const Placement& placement, Time now, std::vector<Write>& writes);

  Client& client_;
  EventRecorder recorder_;
  ClusterView view_;
  std::unordered_map<std::string, ObjectPtr> waiting_;  ///< by uid: to be placed
  std::unordered_map<std::string, ObjectPtr> parked_;   ///< by uid: fit nowhere at the last try
  std::unordered_set<std::string> assumed_;             ///< bound by us, not seen bound yet
  std::optional<Time> retryAt_;
  std::unique_ptr<Informer> informer_;
};

}  // namespace steer
