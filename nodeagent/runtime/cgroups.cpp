#include "nodeagent/runtime/cgroups.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace steer {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> hierarchies() {
  std::vector<fs::path> out;
  std::ifstream in("/proc/self/mounts");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string device;
    std::string point;
    std::string type;
    words >> device >> point >> type;
    if (type == "cgroup" || type == "cgroup2") out.emplace_back(point);
  }
  return out;
}

Result<void> removeTree(const fs::path& group) {
  std::error_code ec;
  if (!fs::is_directory(group, ec)) return {};
  std::vector<fs::path> children;
  for (const auto& entry : fs::directory_iterator(group, ec))
    if (entry.is_directory(ec)) children.push_back(entry.path());
  for (const auto& child : children) STEER_CHECK(removeTree(child));
  // The files of a control group cannot be deleted; the directory goes with them.
  if (rmdir(group.c_str()) != 0 && errno != ENOENT)
    return makeError(Errc::io, group.string() + ": " + std::strerror(errno));
  return {};
}

}  // namespace

Result<void> removeCgroup(const std::string& path) {
  // Nothing but a group of our own: never a hierarchy's root.
  const auto relative = fs::path(path).lexically_normal().relative_path();
  if (relative.empty() || *relative.begin() == "..") return makeError(Errc::invalid, "not a control group: " + path);
  for (const auto& root : hierarchies()) STEER_CHECK(removeTree(root / relative));
  return {};
}

}  // namespace steer
