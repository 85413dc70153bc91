#include "reconciler/loop/included.h"

#include <algorithm>

namespace steer {

bool isIncluded(const std::string& file, const std::vector<std::string>& paths) {
  if (paths.empty()) return true;
  return std::any_of(paths.begin(), paths.end(), [&](std::string path) {
    while (path.starts_with("./")) path.erase(0, 2);
    while (path.ends_with("/")) path.pop_back();
    return path.empty() || path == "." || file == path || file.starts_with(path + "/");
  });
}

Renderer onlyIncluded(Renderer renderer, std::vector<std::string> paths) {
  if (paths.empty()) return renderer;
  return [renderer = std::move(renderer), paths = std::move(paths)](TreeReader& reader, const std::string& tree) {
    Rendered all = renderer(reader, tree);
    const auto other = [&](const WantedObject& w) { return !isIncluded(w.source.file, paths); };
    std::erase_if(all.objects, other);
    if (all.delta) std::erase_if(all.delta->changed, other);
    Diagnostics kept;
    for (const auto& finding : all.findings.items())
      if (finding.pos.file.empty() || isIncluded(finding.pos.file, paths)) kept.add(finding);
    all.findings = std::move(kept);
    return all;
  };
}

}  // namespace steer
