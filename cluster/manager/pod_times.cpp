#include "cluster/manager/pod_times.h"

#include <algorithm>

namespace steer {
namespace {

constexpr std::size_t kSamples = 8;
constexpr std::size_t kImages = 300;
constexpr const char* kKey = "times.json";

json::array millis(const std::vector<Duration>& samples) {
  json::array out;
  for (const auto sample : samples) out.emplace_back(std::chrono::duration_cast<milliseconds>(sample).count());
  return out;
}

std::vector<Duration> durations(const json::value& entry, std::string_view key) {
  std::vector<Duration> out;
  for (const auto& value : arrayAt(entry, {key}))
    if (const auto* number = value.if_int64(); number != nullptr && *number >= 0 && out.size() < kSamples)
      out.emplace_back(milliseconds(*number));
  return out;
}

}  // namespace

PodTimes PodTimes::read(const Object& configMap) {
  PodTimes out;
  boost::system::error_code failed;
  const auto parsed = json::parse(stringAt(configMap.json(), {"data", kKey}), failed);
  if (failed || !parsed.is_object()) return out;
  for (const auto& [image, entry] : parsed.get_object()) {
    if (out.byImage_.size() >= kImages) break;
    auto& samples = out.byImage_[std::string(image)];
    samples.start = durations(entry, "start");
    samples.ready = durations(entry, "ready");
    samples.stop = durations(entry, "stop");
    samples.end = durations(entry, "end");
    samples.firstStart = durations(entry, "firstStart");
    samples.firstReady = durations(entry, "firstReady");
    samples.last = intAt(entry, {"last"});
  }
  return out;
}

json::object PodTimes::configMap() const {
  json::object times;
  for (const auto& [image, samples] : byImage_)
    times[image] = json::object{{"start", millis(samples.start)},
                                {"ready", millis(samples.ready)},
                                {"stop", millis(samples.stop)},
                                {"end", millis(samples.end)},
                                {"firstStart", millis(samples.firstStart)},
                                {"firstReady", millis(samples.firstReady)},
                                {"last", samples.last}};
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", kPodTimesName}, {"namespace", kPodTimesNamespace}}},
          {"data", {{kKey, json::serialize(times)}}}};
}

void PodTimes::add(std::vector<Duration> Samples::*which, const std::string& image, Duration took, Time now) {
  if (image.empty() || took < Duration{}) return;
  if (!byImage_.contains(image) && byImage_.size() >= kImages)
    byImage_.erase(std::min_element(byImage_.begin(), byImage_.end(),
                                    [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
  auto& entry = byImage_[image];
  auto& samples = entry.*which;
  if (samples.size() >= kSamples) samples.erase(samples.begin());
  samples.push_back(took);
  entry.last = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
}

std::optional<Duration> medianOf(std::vector<Duration> samples) {
  if (samples.empty()) return std::nullopt;
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

}  // namespace steer
