#include "nodeagent/agent/image_keeper.h"

#include <algorithm>

#include "core/log.h"

namespace steer {

Result<int> ImageKeeper::look(PodRuntime& runtime, const std::set<std::string>& named, Time now) {
  STEER_TRY(const auto images, runtime.listImages());
  STEER_TRY(const auto references, runtime.imageReferencesInUse());
  std::set<std::string> inUse;
  std::map<std::string, ImageTimes> times;
  for (const auto& image : images) {
    const auto known = times_.find(image.id);
    auto& at = times[image.id] = known == times_.end() ? ImageTimes{now, {}} : known->second;
    if (!usesImage(image, references) && !usesImage(image, named)) continue;
    inUse.insert(image.id);
    at.used = now;
  }
  times_ = std::move(times);
  STEER_TRY(const auto disk, runtime.imageDisk());
  int removed = 0;
  for (const auto& id : imagesToRemove(images, inUse, times_, disk, rules_, now)) {
    STEER_CHECK(runtime.removeImage(id));
    log::info("the disk fills up: an image that nobody uses is removed", {{"image", id}});
    ++removed;
  }
  return removed;
}

}  // namespace steer
