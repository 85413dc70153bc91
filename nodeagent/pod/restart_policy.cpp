#include "nodeagent/pod/restart_policy.h"

#include <algorithm>
#include <charconv>

namespace steer {

namespace {

seconds doubled(seconds delay) { return delay == seconds{0} ? kFirstBackOff : std::min(delay * 2, kLongestBackOff); }

}  // namespace

seconds restartDelayAfter(const ContainerState& exited) {
  if (exited.startedAt != Time{} && exited.finishedAt - exited.startedAt >= kBackOffForgotten) return seconds{0};
  const auto found = exited.annotations.find(kRestartDelayAnnotation);
  if (found == exited.annotations.end()) return seconds{0};
  int value = 0;
  const auto& text = found->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) return seconds{0};
  return std::clamp(seconds{value}, seconds{0}, kLongestBackOff);
}

seconds delayForSuccessorOf(const ContainerState& exited) { return doubled(restartDelayAfter(exited)); }

seconds backOffAfterFailures(int failures) {
  seconds delay = kFirstBackOff;
  for (int i = 1; i < failures && delay < kLongestBackOff; ++i) delay = doubled(delay);
  return delay;
}

}  // namespace steer
