#include "nodeagent/runtime/cgroups.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/folder.h"

namespace steer {

namespace fs = std::filesystem;

namespace {

struct Hierarchies {
  std::vector<fs::path> first, second;
};

Hierarchies mounted() {
  Hierarchies out;
  std::ifstream in("/proc/self/mounts");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    words >> device >> point >> type;
    if (type == "cgroup") out.first.emplace_back(point);
    if (type == "cgroup2") out.second.emplace_back(point);
  }
  return out;
}

Result<void> removeTree(const fs::path& group) {
  std::error_code ec;
  if (!fs::is_directory(group, ec)) return {};
  std::vector<fs::path> children;
  for (const auto& path : pathsIn(group))
    if (fs::is_directory(fs::symlink_status(path, ec))) children.push_back(path);
  for (const auto& child : children) STEER_CHECK(removeTree(child));
  // The files of a control group cannot be deleted; the directory goes with them.
  if (rmdir(group.c_str()) != 0 && errno != ENOENT)
    return makeError(Errc::io, group.string() + ": " + std::strerror(errno));
  return {};
}

Result<void> writeValue(const fs::path& file, const std::string& value) {
  std::ofstream out(file);
  out << value << std::flush;
  if (!out) return makeError(Errc::io, file.string() + " does not take " + value + ": " + std::strerror(errno));
  return {};
}

/// Of the controllers that pods are limited with, those that the group has.
std::string handedDown(const fs::path& group) {
  std::ifstream in(group / "cgroup.controllers");
  const std::string has(std::istreambuf_iterator<char>(in), {});
  std::string out;
  for (const std::string name : {"cpu", "cpuset", "io", "memory", "pids"}) {
    std::istringstream words(has);
    for (std::string word; words >> word;)
      if (word == name) out += (out.empty() ? "+" : " +") + name;
  }
  return out;
}

/// Nothing but a group of our own: never a hierarchy's root.
Result<fs::path> relativeGroup(const std::string& group) {
  auto relative = fs::path(group).lexically_normal().relative_path();
  if (relative.empty() || *relative.begin() == "..") return makeError(Errc::invalid, "not a control group: " + group);
  return relative;
}

}  // namespace

Cgroups Cgroups::ofMachine() {
  auto all = mounted();
  // Machines with both have their controllers in the first.
  if (all.first.empty() && !all.second.empty()) return {CgroupVersion::v2, {all.second.front()}};
  all.first.insert(all.first.end(), all.second.begin(), all.second.end());
  return {CgroupVersion::v1, std::move(all.first)};
}

Cgroups Cgroups::at(const fs::path& root) {
  std::error_code ec;
  if (fs::exists(root / "cgroup.controllers", ec)) return {CgroupVersion::v2, {root}};
  std::vector<fs::path> roots;
  for (const auto& path : pathsIn(root))
    if (fs::is_directory(path, ec)) roots.push_back(path);
  return {CgroupVersion::v1, std::move(roots)};
}

/// "cpu" is mounted alone or as "cpu,cpuacct".
fs::path Cgroups::rootOf(const std::string& controller) const {
  if (version_ == CgroupVersion::v2) return roots_.front();
  for (const auto& root : roots_) {
    std::istringstream names(root.filename().string());
    for (std::string name; std::getline(names, name, ',');)
      if (name == controller) return root;
  }
  return {};
}

Result<void> Cgroups::limit(const std::string& group, const LinuxResources& resources) const {
  STEER_TRY(const auto relative, relativeGroup(group));
  std::error_code ec;
  if (version_ == CgroupVersion::v2) {
    fs::path at = roots_.front();
    for (const auto& part : relative) {
      STEER_CHECK(writeValue(at / "cgroup.subtree_control", handedDown(at)));
      at /= part;
      fs::create_directory(at, ec);
    }
  }
  for (const auto& setting : cgroupSettings(resources, version_)) {
    const auto root = rootOf(setting.controller);
    if (root.empty()) continue;  // a kernel without this controller limits nothing
    fs::create_directories(root / relative, ec);
    STEER_CHECK(writeValue(root / relative / setting.file, setting.value));
  }
  return {};
}

Result<void> Cgroups::remove(const std::string& group) const {
  STEER_TRY(const auto relative, relativeGroup(group));
  for (const auto& root : roots_) STEER_CHECK(removeTree(root / relative));
  return {};
}

}  // namespace steer
