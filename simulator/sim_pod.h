#pragma once
// SimPod: one simulated pod's life as a value with a pure step: from what the pod says and what time
// it is, to its next state and when to look again. Thread rule: one owner.
#include <optional>
#include <string>

#include "core/object.h"

namespace steer {

struct SimWishes;

struct SimPodLife {
  enum class Phase { waiting, pullFailed, running, crashed, succeeded, failed, gone };

  Phase phase = Phase::waiting;
  Time since{};  ///< of the phase
  bool ready = false;
  int restarts = 0;
  int lastExitCode = 0;
  std::optional<Time> startedAt;  ///< of the containers that run or ran last
  std::optional<Time> finishedAt;
  Time askedAt{};  ///< when the pod's annotations were last changed; zero = as it was made

  /// The next state at `now`. `next` = when something will change by itself.
  struct Step;
  /// A life for a pod seen for the first time; one that is already reported running goes on.
  static SimPodLife begin(const Object& pod, Time now);
  /// What the pod's own annotations leave open.
  struct Delays {
    Duration start{};                   ///< until its containers run
    Duration ready{};                   ///< from running to ready
    std::optional<Duration> exit{};     ///< from running to the end, with code 0; nothing = it goes on
    Duration stop = milliseconds(100);  ///< from the deletion to the end of its containers, and of the pod
    std::optional<Duration> end{};      ///< its containers end before the pod is gone; nothing = with it
  };
  /// Advances as far as `now` allows; returns when to call again (nothing = never by itself).
  std::optional<Time> advance(const Object& pod, const Delays& defaults, Time now);
  /// metadata.deletionTimestamp is set, and was first seen at `seen`: when the containers are gone.
  /// Timestamps are whole seconds, too coarse to count a stop from.
  Time goneAt(const Object& pod, const Delays& defaults, Time seen) const;
  /// When the containers that run end; nothing = they go on.
  std::optional<Time> exitTime(const SimWishes& wishes, const Delays& defaults) const;
  /// The state that each of its containers is in.
  json::object containerState(const Object& pod) const;
  /// The status as the node would write it.
  json::object status(const Object& pod, const std::string& podIp, const std::string& hostIp) const;
};

}  // namespace steer
