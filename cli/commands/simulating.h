#pragma once
// `steer plan --simulate`: runs the plans on a copy of the cluster and prints what will happen.
#include <optional>
#include <string>

#include "cli/commands/planning.h"

namespace steer::cli {

struct SimulateFlags {
  bool simulate = false;
  std::string limit = "30m";
  std::string timeout = "2m";
  std::uint64_t seed = 1;
};

void addSimulateFlags(const CommandLine& command, SimulateFlags& flags);
/// Prints plan and forecast in the plan's format. nullopt = it could not be simulated (said already);
/// else whether something does not come up.
std::optional<bool> printSimulated(const Planned& planned, const PlanningFlags& planning, const SimulateFlags& flags);

}  // namespace steer::cli
