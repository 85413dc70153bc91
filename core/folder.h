#pragma once
// Looking at the file system without exceptions: names that others chose may be too long, run in circles of links, or
// lie where this user may not look. Thread rule: pure functions over the disk.
#include <filesystem>
#include <system_error>
#include <vector>

namespace steer {

/// Whether something is there, as far as this user may see; also false for a path that no file can have.
inline bool fileExists(const std::filesystem::path& path) noexcept {
  std::error_code ec;
  return std::filesystem::exists(path, ec) && !ec;
}

/// What a folder holds, as far as it can be read; in no order.
inline std::vector<std::filesystem::path> pathsIn(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code ec;
  for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    out.push_back(it->path());
  return out;
}

/// As it is, where the working directory cannot be told.
inline std::filesystem::path absolutePath(const std::filesystem::path& path) {
  std::error_code ec;
  auto out = std::filesystem::absolute(path, ec);
  return ec ? path : out;
}

}  // namespace steer
