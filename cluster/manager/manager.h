#pragma once
// Manager: the control plane's deciding half: all controllers and the scheduler, as two loops over
// a client. Thread rule: as the loops; construct, drive, destroy.
#include <memory>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "cluster/controllers/selection.h"
#include "cluster/manager/event_recorder.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/random.h"

namespace steer {

struct ManagerOptions {
  std::string podCidr = "10.244.0.0/16";  ///< empty = nodes bring their own ranges
  int nodePodPrefix = 24;
  std::string rootCaPem;  ///< for kube-root-ca.crt in every namespace; empty = none
  Duration nodeGrace = seconds(40);
  std::size_t keepTerminatedPods = 12'500;
  /// How long nodes must stand still before the first pod of a new cluster is bound (SchedulerLoop).
  Duration firstBinding{};
  Duration eventTtl = std::chrono::hours(1);
  Events events = Events::record;
  bool recordPodTimes = false;  ///< keep kube-system/steersman-pod-times (PodTimesLoop)
  bool reportFaults = false;    ///< show this process' faults on the namespace kube-system (FaultLoop)
  ControllerSelection controllers{};
};

class Manager {
 public:
  /// The client and random must outlive it.
  Manager(Client& client, const Clock& clock, Random& random, ManagerOptions options);
  ~Manager();
  std::vector<Loop*> loops();

 private:
  std::unique_ptr<Loop> controllers_;
  std::unique_ptr<Loop> scheduler_;
  std::unique_ptr<Loop> podTimes_;  ///< null = not kept
  std::unique_ptr<Loop> faults_;    ///< null = not shown
};

}  // namespace steer
