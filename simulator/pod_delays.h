#pragma once
// PodDelays: how long a rehearsed pod takes to start, to be ready and to stop, from what was measured here. An
// image without a past takes what others of its repository took, or else a guess; both are told.
// Thread rule: single-threaded.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "simulator/rehearsal.h"
#include "simulator/sim_pod.h"

namespace steer {

class PodDelays {
 public:
  PodDelays(StartTimes times, const RehearsalOptions& options);
  SimPodLife::Delays of(const Object& pod);
  /// In words, what had to be assumed so far.
  std::vector<std::string> assumptions() const { return {assumptions_.begin(), assumptions_.end()}; }

 private:
  using Field = std::optional<Duration> StartTimes::Times::*;
  struct Found {
    std::optional<Duration> took{};
    std::string like{};  ///< the image that it was taken from; empty = the image itself
  };
  Found find(const std::string& image, Field field) const;
  /// What later starts took, or else first ones.
  Found find(const std::string& image, Field field, Field first) const;
  Duration startOf(const Object& pod, const std::string& image);
  Duration stopOf(const Object& pod, const std::string& image);

  StartTimes times_;
  RehearsalOptions options_;
  std::optional<Duration> anyStop_{};
  std::set<std::string> assumptions_;
};

}  // namespace steer
