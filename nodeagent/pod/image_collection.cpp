#include "nodeagent/pod/image_collection.h"

#include <algorithm>

namespace steer {
namespace {

/// "registry:5000/team/app:1" and "registry:5000/team/app@sha256:…" → "registry:5000/team/app".
std::string_view repositoryOf(std::string_view name) {
  name = name.substr(0, name.find('@'));
  const auto colon = name.rfind(':');
  return colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos ? name.substr(0, colon)
                                                                                            : name;
}

/// A registry gave it under each of its names. The same content may also have been brought by hand under a name that
/// no registry knows; with the image that name would go, too.
bool comesAgain(const ImageInfo& image) {
  const auto given = [&](const std::string& tag) {
    return std::any_of(image.digests.begin(), image.digests.end(),
                       [&](const std::string& digest) { return repositoryOf(digest) == repositoryOf(tag); });
  };
  return !image.digests.empty() && std::all_of(image.tags.begin(), image.tags.end(), given);
}

}  // namespace

bool usesImage(const ImageInfo& image, const std::set<std::string>& references) {
  const auto known = [&](const std::string& name) {
    return references.contains(name) || name.find("/pause:") != std::string::npos;
  };
  return references.contains(image.id) || std::any_of(image.tags.begin(), image.tags.end(), known) ||
         std::any_of(image.digests.begin(), image.digests.end(), known);
}

std::vector<std::string> imagesToRemove(const std::vector<ImageInfo>& images, const std::set<std::string>& inUse,
                                        const std::map<std::string, ImageTimes>& times, const DiskUse& disk,
                                        const ImageCollection& rules, Time now) {
  const auto share = [&](int percent) { return disk.capacityBytes / 100 * static_cast<std::uint64_t>(percent); };
  if (disk.capacityBytes == 0 || disk.usedBytes < share(rules.highPercent)) return {};
  struct Candidate {
    Time used, seen;
    std::string id;
    std::uint64_t bytes;
  };
  std::vector<Candidate> candidates;
  for (const auto& image : images) {
    const auto known = times.find(image.id);
    if (inUse.contains(image.id) || image.pinned || !comesAgain(image) || known == times.end()) continue;
    if (now - known->second.seen < rules.leastAge) continue;
    candidates.push_back({known->second.used, known->second.seen, image.id, image.bytes});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.used, a.seen, a.id) < std::tie(b.used, b.seen, b.id);
  });
  std::vector<std::string> out;
  const auto goal = share(rules.lowPercent);
  auto used = disk.usedBytes;
  for (const auto& candidate : candidates) {
    if (used <= goal) break;
    used -= std::min(used, candidate.bytes);
    out.push_back(candidate.id);
  }
  return out;
}

}  // namespace steer
