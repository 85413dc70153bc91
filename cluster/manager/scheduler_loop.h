#pragma once
// SchedulerLoop: finds nodes for pods without one, many per step, and binds them by batch. Pods that
// fit nowhere wait until nodes or the room on them change.
// Thread rule: one driver steps it. Failure rule: a refused binding gives the place back and the pod
// is tried again.
#include <map>
#include <memory>
#include <set>
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
  /// `firstBinding`: how long the nodes of a new cluster must have stood still before its first pod is bound,
  /// so that the first node that is ready does not get all pods. Changes prolong it to three times this at most.
  SchedulerLoop(Client& client, Random& random, Duration firstBinding = {}, Events events = Events::record);
  ~SchedulerLoop() override;
  std::string_view name() const override { return "scheduler"; }
  Next step(Time now) override;
  void recover() override;

 private:
  void takeIn(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after);
  void takePod(const ObjectPtr& before, const ObjectPtr& after);
  void takeNode(const ObjectPtr& before, const ObjectPtr& after);
  /// The time before which nothing may be bound.
  std::optional<Time> waitsUntil(Time now);
  void wakeParked();
  std::vector<ObjectPtr> nextPods();
  void place(std::vector<ObjectPtr> pods, Time now);
  std::vector<ObjectPtr> boundPods() const;
  bool makeRoom(const ObjectPtr& pod, json::object& status, Time now);
  bool lowerThan(const Object& pod) const;
  void countPriority(const Object* before, const Object* after);
  std::vector<Placement> placementsOf(const std::vector<ObjectPtr>& pods, Time now);
  void bind(std::vector<Placement> placements, Time now);
  void refuse(const Placement& placement, Time now, std::vector<Write>& writes);

  Client& client_;
  EventRecorder recorder_;
  ClusterView view_;
  std::unordered_map<std::string, ObjectPtr> waiting_;  ///< by uid: to be placed
  std::unordered_map<std::string, ObjectPtr> parked_;   ///< by uid: fit nowhere at the last try
  std::map<std::int64_t, std::size_t> priorities_;      ///< of the pods that hold a place
  std::set<std::string> failing_;                       ///< places of pods that the scheduler failed on
  std::unordered_set<std::string> assumed_;             ///< bound by us, not seen bound yet
  std::optional<Time> retryAt_;
  const Duration firstBinding_;
  bool nodeNews_ = false;             ///< since the last step, about a node that is ready
  bool open_ = false;                 ///< the first binding need not wait any more
  std::optional<Time> standStill_{};  ///< it waits until then
  std::optional<Time> noLater_{};
  std::unique_ptr<Informer> informer_;
};

}  // namespace steer
