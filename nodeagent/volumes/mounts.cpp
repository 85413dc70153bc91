#include "nodeagent/volumes/mounts.h"

#include <sys/mount.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace steer {

namespace fs = std::filesystem;

namespace {

/// mountinfo writes blanks and backslashes as \040 and the like.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> mountPoints() {
  std::vector<std::string> out;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    out.push_back(unescape(word));
  }
  return out;
}

Error mountError(const fs::path& path, const char* what) {
  return makeError(Errc::io, std::string(what) + " " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

bool isMountPoint(const fs::path& path) {
  const auto points = mountPoints();
  return std::find(points.begin(), points.end(), path.string()) != points.end();
}

Result<void> makeShared(const fs::path& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  const auto real = fs::canonical(path, ec);
  if (ec) return makeError(Errc::io, path.string() + ": " + ec.message());
  if (!isMountPoint(real) && mount(real.c_str(), real.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return mountError(real, "bind mount on");
  if (mount(nullptr, real.c_str(), nullptr, MS_SHARED | MS_REC, nullptr) != 0)
    return mountError(real, "share mounts at");
  return {};
}

Result<void> mountTmpfs(const fs::path& path, std::int64_t sizeBytes) {
  if (isMountPoint(path)) return {};
  const std::string options = sizeBytes > 0 ? "size=" + std::to_string(sizeBytes) : "";
  if (mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    return mountError(path, "mount tmpfs on");
  return {};
}

Result<void> bindDescriptor(int fd, const fs::path& target) {
  const std::string source = "/proc/self/fd/" + std::to_string(fd);
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) return mountError(target, "bind mount on");
  return {};
}

Result<void> unmountBelow(const fs::path& path) {
  const std::string exact = path.string();
  const std::string below = exact + "/";
  auto points = mountPoints();
  std::reverse(points.begin(), points.end());
  for (const auto& point : points) {
    if (point != exact && !point.starts_with(below)) continue;
    if (umount2(point.c_str(), UMOUNT_NOFOLLOW) == 0) continue;
    // Still used by a process that is about to end: gone from here at once, freed with the last user.
    if (umount2(point.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) != 0) return mountError(point, "unmount");
  }
  return {};
}

}  // namespace steer
