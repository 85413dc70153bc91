#include <vector>

#include "cluster/manager/pod_times.h"
#include "core/rfc3339.h"
#include "simulator/rehearsal.h"

namespace steer {
namespace {

std::optional<Time> transition(const Object& pod, std::string_view type) {
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == type && stringAt(condition, {"status"}) == "True")
      return parseTime(stringAt(condition, {"lastTransitionTime"}));
  return std::nullopt;
}

}  // namespace

StartTimes measureStartTimes(const Snapshot& cluster) {
  struct Samples {
    std::vector<Duration> start, ready;
  };
  std::map<std::string, Samples> samples;
  cluster.each("pods", "", [&](const ObjectPtr& pod) {
    const auto placed = transition(*pod, "PodScheduled");
    const auto ready = transition(*pod, "Ready");
    for (const auto& status : arrayAt(pod->status(), {"containerStatuses"})) {
      const auto started = parseTime(stringAt(status, {"state", "running", "startedAt"}));
      // A restarted container tells nothing of how long the first start took.
      if (!placed || !started || intAt(status, {"restartCount"}) != 0 || *started < *placed) continue;
      auto& sample = samples[std::string(stringAt(status, {"image"}))];
      sample.start.push_back(*started - *placed);
      if (ready && *ready >= *started) sample.ready.push_back(*ready - *started);
    }
  });
  StartTimes out;
  for (auto& [image, sample] : samples)
    out.byImage[image] = {medianOf(sample.start), medianOf(sample.ready), {}, {}, {}, {}};
  const auto record = cluster.get("configmaps", kPodTimesNamespace, kPodTimesName);
  if (!record) return out;
  const auto kept = PodTimes::read(*record);
  for (const auto& [image, known] : kept.byImage()) {
    auto& times = out.byImage[image];
    // Whole seconds of what lives are no match for a record.
    times = {medianOf(known.start), medianOf(known.ready),      medianOf(known.stop),
             medianOf(known.end),   medianOf(known.firstStart), medianOf(known.firstReady)};
  }
  return out;
}

}  // namespace steer
