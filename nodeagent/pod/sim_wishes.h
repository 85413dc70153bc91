#pragma once
// SimWishes: what a pod's annotations ask of a simulated node, for people who try manifests without containers. Pure.
//
//   steersman.dev/sim-exit: "CODE@TIME"   its containers end with CODE this long after they started; "never" = they
//                                         run on, also where they would end by default (restartPolicy Never, OnFailure)
//   steersman.dev/sim-start: TIME         until they run
//   steersman.dev/sim-ready: TIME|never   from running to ready; set to "never" on a ready pod, it becomes unready
//   steersman.dev/sim-stop: TIME          from deletion to gone, at most the grace period
//   steersman.dev/sim-pull: fail          their image cannot be pulled
//
// TIME is a number of seconds or a Go-style duration ("2", "0.5", "1m30s"). The prefix simulator.steersman.dev/ with
// start-delay, ready-delay, stop-delay, exit-after, exit-code and pull-error says the same in single values.
#include <optional>
#include <string>
#include <string_view>

#include "core/object.h"

namespace steer {

struct SimWishes {
  struct Exit {
    int code = 0;
    Duration after{};
  };
  std::optional<Duration> start, ready, stop;
  std::optional<Exit> exit;
  bool neverExits = false;
  bool neverReady = false;
  bool pullFails = false;
  std::string mistake;  ///< a sentence about an annotation that cannot be read; empty = all can
};

SimWishes simWishesOf(const Object& pod);

/// "2", "0.5" (seconds) or "1m30s".
std::optional<Duration> simTime(std::string_view text);

}  // namespace steer
