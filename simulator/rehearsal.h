#pragma once
// Rehearsal: executes plans on a fork of a cluster, in virtual time, with the code that will execute
// them: the API server, the controllers, the scheduler, ApplyRun. Only the nodes are simulated; they take
// over what runs. The cluster itself is only read.
// Thread rule: single-threaded. Failure rule: what cannot be rehearsed is an Error in words; what the
// change itself breaks is part of the forecast.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/snapshot.h"
#include "reconciler/plan/plan_set.h"
#include "simulator/forecast.h"

namespace steer {

struct RehearsalOptions {
  std::uint64_t seed = 1;
  Time now{};                          ///< of the cluster
  Duration limit = minutes(30);        ///< of virtual time
  Duration wallLimit = minutes(2);     ///< of the time that the rehearsal itself may take
  Duration unknownStart = seconds(2);  ///< of an image that never started here, nor another of its repository
  Duration unknownStop = seconds(1);   ///< where none was ever seen to stop
};

/// Everything of a cluster that a rehearsal needs.
Result<Snapshot> readCluster(Client& client);

Result<Forecast> rehearse(const Snapshot& cluster, const PlanSet& plans, const RehearsalOptions& options);

/// How long pods of an image took here to run, from then to be ready, and to stop: medians of the record that
/// the cluster keeps (PodTimes), or else of the timestamps of what lives, which are whole seconds.
struct StartTimes {
  struct Times {
    std::optional<Duration> start{};
    std::optional<Duration> ready{};
    std::optional<Duration> stop{};
    std::optional<Duration> end{};         ///< of its containers; the pod is gone a little later
    std::optional<Duration> firstStart{};  ///< while nothing of its kind was ready (PodTimes)
    std::optional<Duration> firstReady{};
  };
  std::map<std::string, Times> byImage{};
};
/// Pure.
StartTimes measureStartTimes(const Snapshot& cluster);

}  // namespace steer
