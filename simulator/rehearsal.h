#pragma once
// Rehearsal: executes plans on a fork of a cluster, in virtual time, with the code that will execute
// them: the API server, the controllers, the scheduler, ApplyRun. Only the nodes are simulated; they take
// over what runs. The cluster itself is only read.
// Thread rule: single-threaded. Failure rule: what cannot be rehearsed is an Error in words; what the
// change itself breaks is part of the forecast.
#include <cstdint>
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
  Duration unknownStart = seconds(2);  ///< of an image that never started here
};

/// Everything of a cluster that a rehearsal needs.
Result<Snapshot> readCluster(Client& client);

Result<Forecast> rehearse(const Snapshot& cluster, const PlanSet& plans, const RehearsalOptions& options);

/// How long pods of an image took here to run, and from then to be ready: medians of what lives.
struct StartTimes {
  struct Times {
    Duration start{};
    Duration ready{};
  };
  std::map<std::string, Times> byImage{};
};
/// Pure.
StartTimes measureStartTimes(const Snapshot& cluster);

}  // namespace steer
