#pragma once
// PodTimes: how long pods of each image took here, from placed to running, from running to ready, and from
// asked to stop to ended and to gone: the last few of each. Pods come and go; what they told of an image stays, in the
// ConfigMap kube-system/steersman-pod-times. Thread rule: a plain value.
// Failure rule: what cannot be read counts as never seen.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/object.h"

namespace steer {

inline constexpr const char* kPodTimesNamespace = "kube-system";
inline constexpr const char* kPodTimesName = "steersman-pod-times";

class PodTimes {
 public:
  struct Samples {
    std::vector<Duration> start;  ///< oldest first
    std::vector<Duration> ready;
    std::vector<Duration> stop;  ///< from asked to stop to gone
    std::vector<Duration> end;   ///< from asked to stop to no container running: others may have the place
    /// Of pods that came up while nothing of their kind was ready: images were not there yet, others that they
    /// need were not up. A rollout is not like that.
    std::vector<Duration> firstStart;
    std::vector<Duration> firstReady;
    std::int64_t last = 0;  ///< Unix seconds of the last one
  };
  static PodTimes read(const Object& configMap);
  json::object configMap() const;

  void add(std::vector<Duration> Samples::*which, const std::string& image, Duration took, Time now);
  const std::map<std::string, Samples>& byImage() const { return byImage_; }

 private:
  std::map<std::string, Samples> byImage_;
};

/// Nothing of nothing.
std::optional<Duration> medianOf(std::vector<Duration> samples);

}  // namespace steer
