#pragma once
// Which images a node forgets when its disk fills up. Pure.
// Source: Kubernetes documentation, "Garbage Collection" (containers and images).
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

struct ImageCollection {
  int highPercent = 85;   ///< of the file system: above it images go …
  int lowPercent = 80;    ///< … until it is below this
  seconds leastAge{120};  ///< a fresh image may be about to be used
};

struct DiskUse {
  std::uint64_t usedBytes = 0;
  std::uint64_t capacityBytes = 0;
};

/// When the agent first saw each image, and when a container last used it. By image id.
struct ImageTimes {
  Time seen{};
  Time used{};
};

/// A container's reference is the image's id, one of its names or one of its digests. The image of sandboxes
/// ("…/pause:…") is always in use, also where the runtime does not say that it needs it.
bool usesImage(const ImageInfo& image, const std::set<std::string>& references);

/// Ids of images to remove, those unused for longest first. Never one that is in use, or that has
/// a name under which no registry gave it: that could not be fetched again.
std::vector<std::string> imagesToRemove(const std::vector<ImageInfo>& images, const std::set<std::string>& inUse,
                                        const std::map<std::string, ImageTimes>& times, const DiskUse& disk,
                                        const ImageCollection& rules, Time now);

}  // namespace steer
