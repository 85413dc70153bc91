// Pod: the first container that explains why it is not ready.
#include <algorithm>
#include <array>
#include <optional>

#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {
namespace {

/// Waiting for one of these does not end by itself, or hardly ever.
constexpr std::array<std::string_view, 6> kHopeless{"CrashLoopBackOff",     "ImagePullBackOff",
                                                    "ErrImagePull",         "InvalidImageName",
                                                    "CreateContainerError", "CreateContainerConfigError"};

std::string ending(const json::value& terminated) {
  const auto reason = stringAt(terminated, {"reason"});
  const auto code = intAt(terminated, {"exitCode"});
  const std::string why = reason.empty() || reason == "Error" ? "" : " (" + std::string(reason) + ")";
  return "ended with exit code " + std::to_string(code) + why;
}

std::optional<std::string> containerTrouble(const Object& pod) {
  for (const auto* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const auto& status : arrayAt(pod.status(), {list})) {
      const auto reason = stringAt(status, {"state", "waiting", "reason"});
      if (std::find(kHopeless.begin(), kHopeless.end(), reason) == kHopeless.end()) continue;
      std::string out = "container " + std::string(stringAt(status, {"name"})) + ": " + std::string(reason);
      const auto* last = find(status, {"lastState", "terminated"});
      if (last != nullptr && reason == "CrashLoopBackOff") out += ", it " + ending(*last);
      else if (const auto said = stringAt(status, {"state", "waiting", "message"}); !said.empty())
        out += ", " + std::string(said);
      return out;
    }
  }
  return std::nullopt;
}

std::string failureOf(const Object& pod) {
  for (const char* field : {"message", "reason"})
    if (const auto text = stringAt(pod.status(), {field}); !text.empty()) return "failed: " + std::string(text);
  for (const auto* list : {"initContainerStatuses", "containerStatuses"})
    for (const auto& status : arrayAt(pod.status(), {list}))
      if (const auto* ended = find(status, {"state", "terminated"});
          ended != nullptr && intAt(*ended, {"exitCode"}) != 0)
        return "failed: container " + std::string(stringAt(status, {"name"})) + " " + ending(*ended);
  return "failed";
}

}  // namespace

Health ofPod(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  if (phase == "Succeeded") return healthy("completed");
  if (phase == "Failed") return degraded(failureOf(pod));
  if (conditionIs(pod, "Ready", "True")) return healthy();
  if (const auto trouble = containerTrouble(pod)) return degraded(*trouble);
  if (conditionIs(pod, "PodScheduled", "False"))
    return progressing("not scheduled: " + messageOf(pod, "PodScheduled", "no node fits"));
  return progressing(phase == "Running" ? "running, but not ready yet" : "not running yet");
}

}  // namespace steer::health
