#pragma once
// WayMaking: which deletions must go before a change that the server refuses as long as their objects live, since they
// hold what it asks for: a node port, an address. Asked in dry runs. Private to this room. Thread rule: as the
// client's.
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "reconciler/plan/plan.h"

namespace steer {

class WayMaking {
 public:
  /// `input` with its predictions.
  WayMaking(Client& client, PlanInput& input) : client_(client), input_(input) {}

  /// Fills in input.makesWay, and the predictions of what is possible then. Errors: the server cannot be asked.
  Result<void> run();

 private:
  Result<void> makeWayFor(std::size_t index, const std::vector<PlannedChange>& removals);
  Result<bool> makeWayBy(std::vector<const PlannedChange*> gone, std::size_t index);
  Result<Result<ObjectPtr>> without(const std::vector<const PlannedChange*>& gone, std::size_t index);

  Client& client_;
  PlanInput& input_;
};

}  // namespace steer
