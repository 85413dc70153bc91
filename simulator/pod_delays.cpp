#include "simulator/pod_delays.h"

#include <algorithm>

#include "cluster/manager/pod_times.h"
#include "nodeagent/pod/sim_wishes.h"

namespace steer {
namespace {

constexpr Duration kJobRuns = seconds(1);

std::string millisText(Duration time) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(time).count()) + "ms";
}

/// "registry.local:5000/web:v1@sha256:…" → "registry.local:5000/web".
std::string repositoryOf(const std::string& image) {
  std::string out = image.substr(0, image.find('@'));
  const auto colon = out.rfind(':');
  const auto slash = out.rfind('/');
  if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) out.resize(colon);
  return out;
}

}  // namespace

PodDelays::PodDelays(StartTimes times, const RehearsalOptions& options) : times_(std::move(times)), options_(options) {
  std::vector<Duration> stops;
  for (const auto& [image, known] : times_.byImage)
    if (known.stop) stops.push_back(*known.stop);
  anyStop_ = medianOf(std::move(stops));
}

PodDelays::Found PodDelays::find(const std::string& image, Field field) const {
  const auto known = times_.byImage.find(image);
  if (known != times_.byImage.end() && known->second.*field) return {known->second.*field, {}};
  const auto repository = repositoryOf(image);
  for (auto it = times_.byImage.lower_bound(repository); it != times_.byImage.end(); ++it) {
    if (!it->first.starts_with(repository)) break;
    if (repositoryOf(it->first) == repository && it->second.*field) return {it->second.*field, it->first};
  }
  return {};
}

PodDelays::Found PodDelays::find(const std::string& image, Field field, Field first) const {
  auto out = find(image, field);
  return out.took ? out : find(image, first);
}

Duration PodDelays::startOf(const Object& pod, const std::string& image) {
  const auto found = find(image, &StartTimes::Times::start, &StartTimes::Times::firstStart);
  const auto known = times_.byImage.find(image);
  if (found.took && known != times_.byImage.end() && (known->second.start || known->second.firstStart))
    return *found.took;  // not new here
  const auto took = found.took.value_or(options_.unknownStart);
  if (!simWishesOf(pod).start)
    assumptions_.insert("image " + image + " has not been started here yet: " + millisText(took) +
                        " to start are assumed" + (found.took ? ", as " + found.like + " took" : ""));
  return took;
}

Duration PodDelays::stopOf(const Object& pod, const std::string& image) {
  const auto found = find(image, &StartTimes::Times::stop);
  if (found.took) return *found.took;
  const auto took = anyStop_.value_or(options_.unknownStop);
  if (!simWishesOf(pod).stop)
    assumptions_.insert("no pod of image " + image + " was seen to stop here yet: " + millisText(took) +
                        " are assumed");
  return took;
}

SimPodLife::Delays PodDelays::of(const Object& pod) {
  SimPodLife::Delays out;
  out.stop = {};
  for (const auto& container : arrayAt(pod.spec(), {"containers"})) {
    const std::string image(stringAt(container, {"image"}));
    if (pod.deleting()) {
      out.stop = std::max(out.stop, stopOf(pod, image));
      if (const auto end = find(image, &StartTimes::Times::end).took; end && !simWishesOf(pod).stop)
        out.end = std::max(out.end.value_or(Duration{}), *end);
      continue;
    }
    out.start = std::max(out.start, startOf(pod, image));
    const auto* probe = steer::find(container, {"readinessProbe"});
    if (probe == nullptr) continue;  // ready as soon as it runs
    const auto ready = find(image, &StartTimes::Times::ready, &StartTimes::Times::firstReady).took.value_or(Duration{});
    out.ready = std::max({out.ready, ready, Duration(seconds(intAt(*probe, {"initialDelaySeconds"})))});
  }
  // What is meant to end is assumed to end well.
  if (stringAt(pod.spec(), {"restartPolicy"}, "Always") != "Always") out.exit = kJobRuns;
  return out;
}

}  // namespace steer
