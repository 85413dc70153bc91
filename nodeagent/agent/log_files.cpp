#include "nodeagent/agent/log_files.h"

#include <algorithm>
#include <charconv>

#include "core/folder.h"

namespace steer {
namespace fs = std::filesystem;

fs::path podLogDirectory(const fs::path& root, const std::string& ns, const std::string& name, const std::string& uid) {
  return root / (ns + "_" + name + "_" + uid);
}

std::vector<std::uint32_t> logAttempts(const fs::path& containerDirectory) {
  std::vector<std::uint32_t> out;
  for (const auto& path : pathsIn(containerDirectory)) {
    const std::string file = path.filename().string();
    std::uint32_t attempt = 0;
    const auto [end, bad] = std::from_chars(file.data(), file.data() + file.size(), attempt);
    if (bad == std::errc{} && std::string_view(end, file.data() + file.size()) == ".log") out.push_back(attempt);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<fs::path> logFilesOf(const fs::path& containerDirectory, std::uint32_t attempt) {
  const fs::path current = containerDirectory / (std::to_string(attempt) + ".log");
  std::vector<fs::path> out;
  std::error_code ec;
  for (int i = 1; fs::exists(current.string() + "." + std::to_string(i), ec); ++i)
    out.insert(out.begin(), current.string() + "." + std::to_string(i));
  if (fs::exists(current, ec)) out.push_back(current);
  return out;
}

bool rotationDue(const fs::path& file, const LogRotation& rotation) {
  std::error_code ec;
  const auto size = fs::file_size(file, ec);
  return !ec && size >= rotation.maxBytes;
}

Result<void> rotateLog(const fs::path& file, const LogRotation& rotation) {
  const auto numbered = [&](int i) { return fs::path(file.string() + "." + std::to_string(i)); };
  std::error_code ec;
  fs::remove(numbered(rotation.keep), ec);
  for (int i = rotation.keep - 1; i >= 1; --i)
    if (fs::exists(numbered(i), ec)) fs::rename(numbered(i), numbered(i + 1), ec);
  fs::rename(file, numbered(1), ec);
  if (ec) return makeError(Errc::io, "cannot rotate " + file.string() + ": " + ec.message());
  return {};
}

}  // namespace steer
