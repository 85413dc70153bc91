#pragma once
// ImageKeeper: forgets images when the disk they lie on fills up. What goes is decided in pod/image_collection.h.
// Thread rule: look() blocks, one call at a time.
#include <map>
#include <set>
#include <string>

#include "core/clock.h"
#include "nodeagent/pod/image_collection.h"
#include "nodeagent/runtime/pod_runtime.h"

namespace steer {

class ImageKeeper {
 public:
  explicit ImageKeeper(ImageCollection rules) : rules_(rules) {}

  /// How many images it removed. What is in `named` stays: pods want it that have no container of it yet, and between
  /// the pull and the container it would go. Errors: the runtime's.
  Result<int> look(PodRuntime& runtime, const std::set<std::string>& named, Time now);

 private:
  ImageCollection rules_;
  std::map<std::string, ImageTimes> times_;
};

}  // namespace steer
