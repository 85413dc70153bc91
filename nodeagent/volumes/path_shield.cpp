#include "nodeagent/volumes/path_shield.h"

#include <algorithm>

namespace steer {

namespace fs = std::filesystem;

namespace {

/// Whether `path` is `directory` or lies in it.
bool isWithin(const fs::path& path, const fs::path& directory) {
  const auto [end, rest] = std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  static_cast<void>(rest);
  return end == directory.end();
}

}  // namespace

PathShield::PathShield(const std::vector<std::string>& directories, fs::path empty) : empty_(std::move(empty)) {
  for (const auto& directory : directories) {
    std::error_code ec;
    auto real = fs::weakly_canonical(directory, ec);
    if (!ec && !real.empty() && real != "/") directories_.push_back(std::move(real));
  }
}

Result<fs::path> PathShield::resolve(const std::string& hostPath) const {
  std::error_code ec;
  auto real = fs::weakly_canonical(hostPath, ec);
  if (ec) return makeError(Errc::io, hostPath + ": " + ec.message());
  if (!real.has_filename() && real.has_parent_path() && real != "/") real = real.parent_path();  // a slash at the end
  for (const auto& directory : directories_)
    if (isWithin(real, directory))
      return makeError(Errc::forbidden, "hostPath " + hostPath + " lies in the cluster's own data, which no pod sees");
  return real;
}

bool PathShield::contains(const fs::path& real) const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [&](const fs::path& directory) { return isWithin(directory, real); });
}

Result<std::vector<ContainerMount>> PathShield::covers(const fs::path& real, const ContainerMount& mount) const {
  std::vector<ContainerMount> out;
  for (const auto& directory : directories_) {
    if (!isWithin(directory, real)) continue;
    if (mount.propagation == MountPropagation::bidirectional)
      return makeError(Errc::forbidden, "hostPath " + real.string() +
                                            " contains the cluster's own data and cannot be mounted Bidirectional");
    const auto relative = directory.lexically_relative(real);
    out.push_back({(fs::path(mount.containerPath) / relative).string(), empty_.string(), true});
  }
  if (out.empty()) return out;
  std::error_code ec;
  fs::create_directories(empty_, ec);
  if (ec) return makeError(Errc::io, empty_.string() + ": " + ec.message());
  return out;
}

}  // namespace steer
