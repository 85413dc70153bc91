#include "nodeagent/volumes/pod_volumes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "core/folder.h"
#include "core/quantity.h"
#include "nodeagent/pod/volume_content.h"
#include "nodeagent/volumes/atomic_files.h"
#include "nodeagent/volumes/host_path.h"
#include "nodeagent/volumes/mounts.h"
#include "nodeagent/volumes/sub_path.h"

namespace steer {

namespace fs = std::filesystem;

namespace {

Result<void> makeDirectory(const fs::path& path, mode_t mode) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return makeError(Errc::io, path.string() + ": " + ec.message());
  if (chmod(path.c_str(), mode) != 0) return makeError(Errc::io, path.string() + ": " + std::strerror(errno));
  return {};
}

FileOwner ownerOf(const Object& pod) {
  const auto* group = find(pod.spec(), {"securityContext", "fsGroup"});
  return {group ? asInt(*group) : std::nullopt};
}

/// The group owns the directory, and what is made in it later.
Result<void> giveToGroup(const fs::path& path, const FileOwner& owner) {
  if (!owner.group) return {};
  if (chown(path.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(*owner.group)) != 0 ||
      chmod(path.c_str(), 02777) != 0)
    return makeError(Errc::io, path.string() + ": " + std::strerror(errno));
  return {};
}

/// Secrets never touch a disk.
bool needsMemory(const json::value& volume) {
  return find(volume, {"secret"}) || find(volume, {"projected"}) ||
         stringAt(volume, {"emptyDir", "medium"}) == "Memory";
}

std::int64_t sizeLimit(const json::value& volume) {
  const auto* limit = find(volume, {"emptyDir", "sizeLimit"});
  return limit ? Quantity::fromJson(*limit).valueOr({}).units() : 0;
}

bool onHost(const Object& pod, const json::value& mount) {
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"}))
    if (stringAt(volume, {"name"}) == stringAt(mount, {"name"})) return find(volume, {"hostPath"}) != nullptr;
  return false;
}

/// Of a hostPath volume: the descriptor leads to no shielded directory and above none.
Result<void> admitSubPath(const PathShield& shield, int fd, bool host) {
  if (!host) return {};
  std::error_code ec;
  const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ec);
  if (ec) return makeError(Errc::io, "subPath: " + ec.message());
  STEER_TRY(const auto real, shield.resolve(path.string()));
  if (!shield.contains(real)) return {};
  return makeError(Errc::forbidden,
                   "subPath " + real.string() + " contains the cluster's own data: mount the volume without a subPath");
}

/// Unmounts first; refuses to delete through a mount that stayed.
Result<void> deleteTree(const fs::path& path) {
  STEER_CHECK(unmountBelow(path));
  std::error_code ec;
  fs::remove_all(path, ec);
  if (ec) return makeError(Errc::io, path.string() + ": " + ec.message());
  return {};
}

}  // namespace

Result<void> PodVolumes::setUpOne(const Object& pod, const json::value& volume, const PodReferences& refs) {
  const auto name = std::string(stringAt(volume, {"name"}));
  const auto named = [&](Error error) {
    error.message = "volume \"" + name + "\": " + error.message;
    return error;
  };
  if (const auto* host = find(volume, {"hostPath"})) {
    const auto real = shield_.resolve(std::string(stringAt(*host, {"path"})));
    if (!real.ok()) return named(real.error());
    auto prepared = prepareHostPath(*host);
    if (!prepared.ok()) return named(prepared.error());
    return {};
  }
  auto content = volumeContent(pod, volume, refs);
  if (!content.ok()) return named(content.error());
  if (!*content && !find(volume, {"emptyDir"}))
    return named(makeError(Errc::unsupported, "this kind of volume is not supported by this node"));
  const auto directory = volumeDir(pod, name);
  const bool memory = needsMemory(volume);
  if (!memory || !isMountPoint(directory)) {
    STEER_CHECK(makeDirectory(directory, 0777));
    if (memory) STEER_CHECK(mountTmpfs(directory, sizeLimit(volume)));
    if (memory && !*content) STEER_CHECK(makeDirectory(directory, 0777));
  }
  const auto owner = ownerOf(pod);
  if (!*content) return giveToGroup(directory, owner);
  STEER_CHECK(makeDirectory(directory, 0755));
  const auto written = replaceFiles(directory, **content, owner);
  if (!written.ok()) return named(written.error());
  return {};
}

Result<void> PodVolumes::share() { return makeShared(root_ / "pods"); }

Result<std::map<std::string, std::string>> PodVolumes::setUp(const Object& pod, const PodReferences& refs) {
  STEER_CHECK(makeDirectory(podDir(pod.uid()), 0755));
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"})) STEER_CHECK(setUpOne(pod, volume, refs));
  return paths(pod);
}

Result<void> PodVolumes::refresh(const Object& pod, const PodReferences& refs) {
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"})) {
    const auto directory = volumeDir(pod, stringAt(volume, {"name"}));
    auto content = volumeContent(pod, volume, refs);
    if (!content.ok() || !*content || !fileExists(directory)) continue;
    const auto written = replaceFiles(directory, **content, ownerOf(pod));
    if (!written.ok()) return written.error();
  }
  return {};
}

std::map<std::string, std::string> PodVolumes::paths(const Object& pod) const {
  std::map<std::string, std::string> out;
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"})) {
    const auto name = std::string(stringAt(volume, {"name"}));
    const auto host = std::string(stringAt(volume, {"hostPath", "path"}));
    out[name] = host.empty() ? volumeDir(pod, name).string() : host;
  }
  return out;
}

Result<std::map<std::string, std::string>> PodVolumes::subPaths(const Object& pod, const json::object& container,
                                                                std::uint32_t attempt, const PodReferences& refs) {
  std::map<std::string, std::string> out;
  const auto volumes = paths(pod);
  const auto& mounts = arrayAt(container, {"volumeMounts"});
  Environment env;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    auto sub = std::string(stringAt(mounts[i], {"subPath"}));
    if (const auto expression = stringAt(mounts[i], {"subPathExpr"}); !expression.empty()) {
      STEER_TRY(env, environmentOf(pod, container, refs));
      sub = expandVariables(expression, env);
    }
    const auto volume = volumes.find(std::string(stringAt(mounts[i], {"name"})));
    if (sub.empty() || volume == volumes.end()) continue;
    STEER_TRY(const int fd, openInside(volume->second, sub));
    if (const auto open = admitSubPath(shield_, fd, onHost(pod, mounts[i])); !open.ok()) {
      close(fd);
      return open.error();
    }
    struct stat st {};
    fstat(fd, &st);
    const auto target = podDir(pod.uid()) / "subpaths" /
                        (std::string(stringAt(container, {"name"})) + "-" + std::to_string(attempt)) /
                        std::to_string(i);
    std::error_code ec;
    fs::create_directories(S_ISDIR(st.st_mode) ? target : target.parent_path(), ec);
    if (!S_ISDIR(st.st_mode)) std::ofstream(target, std::ios::app).close();
    auto bound = isMountPoint(target) ? unmountBelow(target) : Result<void>{};
    if (bound.ok()) bound = bindDescriptor(fd, target);
    close(fd);
    if (!bound.ok()) return bound.error();
    out[std::string(stringAt(mounts[i], {"mountPath"}))] = target.string();
  }
  return out;
}

Result<void> PodVolumes::shield(const Object& pod, const json::object& container,
                                std::vector<ContainerMount>& mounts) const {
  std::vector<ContainerMount> covers;
  for (const auto& mount : arrayAt(container, {"volumeMounts"})) {
    if (!onHost(pod, mount) || !stringAt(mount, {"subPath"}).empty() || !stringAt(mount, {"subPathExpr"}).empty())
      continue;
    for (auto& made : mounts) {
      if (made.containerPath != stringAt(mount, {"mountPath"})) continue;
      STEER_TRY(const auto real, shield_.resolve(made.hostPath));
      made.hostPath = real.string();
      STEER_TRY(auto over, shield_.covers(real, made));
      covers.insert(covers.end(), over.begin(), over.end());
    }
  }
  mounts.insert(mounts.end(), covers.begin(), covers.end());
  return {};
}

Result<std::string> PodVolumes::terminationFile(const Object& pod, const std::string& container,
                                                std::uint32_t attempt) {
  const auto directory = podDir(pod.uid()) / "termination";
  STEER_CHECK(makeDirectory(directory, 0755));
  const auto path = directory / (container + "-" + std::to_string(attempt));
  std::ofstream(path, std::ios::trunc).close();
  // Any user of the container may write its last words.
  if (chmod(path.c_str(), 0666) != 0) return makeError(Errc::io, path.string() + ": " + std::strerror(errno));
  return path.string();
}

Result<std::string> PodVolumes::writeHostsFile(const Object& pod, const std::string& content) {
  STEER_CHECK(makeDirectory(podDir(pod.uid()), 0755));
  const auto path = podDir(pod.uid()) / "hosts";
  std::ofstream out(path, std::ios::trunc);
  out << content;
  out.close();
  if (!out || chmod(path.c_str(), 0644) != 0) return makeError(Errc::io, path.string() + ": " + std::strerror(errno));
  return path.string();
}

Result<void> PodVolumes::release(const std::string& podUid) {
  STEER_CHECK(deleteTree(podDir(podUid) / "subpaths"));
  return deleteTree(podDir(podUid) / "volumes");
}

Result<void> PodVolumes::remove(const std::string& podUid) { return deleteTree(podDir(podUid)); }

std::vector<std::string> PodVolumes::podUids() const {
  std::vector<std::string> out;
  for (const auto& path : pathsIn(root_ / "pods")) out.push_back(path.filename().string());
  return out;
}

}  // namespace steer
