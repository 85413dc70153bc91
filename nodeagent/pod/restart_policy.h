#pragma once
// Back-off of restarts: at once, then 10 s doubling to 300 s; forgotten after 10 minutes of running.
// The delay travels with each container (kRestartDelayAnnotation), so nothing is lost when the agent
// restarts. Pure. Source: Kubernetes documentation, "Pod Lifecycle", container restart policy.
#include "nodeagent/pod/runtime_values.h"

namespace steer {

inline constexpr seconds kFirstBackOff{10};
inline constexpr seconds kLongestBackOff{300};
inline constexpr minutes kBackOffForgotten{10};

/// How long to wait after this container's exit before its successor may start.
seconds restartDelayAfter(const ContainerState& exited);
/// The delay to write on the successor.
seconds delayForSuccessorOf(const ContainerState& exited);
/// 10 s · 2^(failures-1), at most 300 s; for image pulls and other starts that never happened.
seconds backOffAfterFailures(int failures);

}  // namespace steer
