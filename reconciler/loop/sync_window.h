#pragma once
// Sync windows: when an application may be synced. With `allow` windows it may only inside one of
// them; inside a `deny` window it may not at all. A window that cannot be read allows nothing (allow)
// or denies everything (deny): the cautious side. Pure; time zones are read from the machine's files.
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "reconciler/loop/application_spec.h"

namespace steer {

/// "schedule: …" or "timeZone: …"; empty when the window can be read.
std::string syncWindowProblem(const SyncWindowSpec& window);

struct SyncGate {
  bool open = true;
  std::string reason{};             ///< why it is closed, in words
  std::optional<Time> changesAt{};  ///< when to look again; nothing when nothing will change
};
SyncGate syncGate(const std::vector<SyncWindowSpec>& windows, Time now);

}  // namespace steer
