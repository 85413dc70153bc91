#include "nodeagent/volumes/atomic_files.h"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT: mkdtemp
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <set>

#include "core/folder.h"

namespace steer {

namespace fs = std::filesystem;

namespace {

constexpr const char* kData = "..data";

Error ioError(const fs::path& path) { return makeError(Errc::io, path.string() + ": " + std::strerror(errno)); }

unsigned effectiveMode(const VolumeFile& file, const FileOwner& owner) {
  // The group must be able to read what it owns.
  return owner.group ? file.mode | 0440U : file.mode;
}

bool sameFile(const fs::path& path, const VolumeFile& file, const FileOwner& owner) {
  struct stat st {};
  if (lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return false;
  if ((st.st_mode & 07777U) != effectiveMode(file, owner)) return false;
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {}) == file.data;
}

bool upToDate(const fs::path& directory, const std::vector<VolumeFile>& files, const FileOwner& owner) {
  std::error_code ec;
  const fs::path data = directory / kData;
  if (!fs::is_symlink(data, ec) || !fs::is_directory(data, ec)) return false;
  std::size_t count = 0;
  for (auto it = fs::recursive_directory_iterator(data, ec); !ec && it != fs::recursive_directory_iterator();
       it.increment(ec))
    if (!it->is_directory(ec)) ++count;
  if (ec || count != files.size()) return false;
  for (const auto& file : files)
    if (!sameFile(data / file.path, file, owner)) return false;
  return true;
}

Result<void> writeFile(const fs::path& path, const VolumeFile& file, const FileOwner& owner) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return ioError(path);
  std::size_t done = 0;
  bool good = true;
  while (good && done < file.data.size()) {
    const auto n = write(fd, file.data.data() + done, file.data.size() - done);
    good = n > 0;
    if (good) done += static_cast<std::size_t>(n);
  }
  if (good && owner.group) good = fchown(fd, static_cast<uid_t>(-1), static_cast<gid_t>(*owner.group)) == 0;
  if (good) good = fchmod(fd, effectiveMode(file, owner)) == 0;
  const Error error = good ? Error{} : ioError(path);
  close(fd);
  if (!good) return error;
  return {};
}

Result<fs::path> writeVersion(const fs::path& directory, const std::vector<VolumeFile>& files, const FileOwner& owner) {
  std::string name = (directory / "..v.XXXXXX").string();
  if (!mkdtemp(name.data())) return ioError(directory);
  const fs::path version = name;
  chmod(version.c_str(), 0755);
  for (const auto& file : files) {
    const fs::path path = version / file.path;
    std::error_code ec;
    fs::create_directories(path.parent_path(), ec);
    if (ec) return makeError(Errc::io, path.parent_path().string() + ": " + ec.message());
    STEER_CHECK(writeFile(path, file, owner));
  }
  return version;
}

/// Top-level names link through ..data; names that are gone lose their link.
Result<void> linkNames(const fs::path& directory, const std::vector<VolumeFile>& files) {
  std::set<std::string> names;
  for (const auto& file : files) names.insert(file.path.substr(0, file.path.find('/')));
  std::error_code ec;
  for (const auto& name : names) {
    const fs::path link = directory / name;
    if (fs::is_symlink(fs::symlink_status(link, ec))) continue;
    fs::create_symlink(fs::path(kData) / name, link, ec);
    if (ec) return makeError(Errc::io, link.string() + ": " + ec.message());
  }
  for (const auto& path : pathsIn(directory)) {
    const auto name = path.filename().string();
    if (!name.starts_with("..") && !names.contains(name)) fs::remove(path, ec);
  }
  return {};
}

/// Everything that an earlier, perhaps interrupted, change left behind.
void removeOldVersions(const fs::path& directory, const fs::path& current) {
  std::error_code ec;
  for (const auto& path : pathsIn(directory)) {
    const auto name = path.filename().string();
    if (name.starts_with("..v.") && path.filename() != current.filename()) fs::remove_all(path, ec);
  }
}

}  // namespace

Result<Changed> replaceFiles(const fs::path& directory, const std::vector<VolumeFile>& files, const FileOwner& owner) {
  if (upToDate(directory, files, owner)) return Changed::no;
  auto version = writeVersion(directory, files, owner);
  if (!version.ok()) return version.error();
  std::error_code ec;
  const fs::path next = directory / "..data_next";
  fs::remove(next, ec);
  fs::create_symlink(version->filename(), next, ec);
  if (!ec) fs::rename(next, directory / kData, ec);
  if (ec) return makeError(Errc::io, (directory / kData).string() + ": " + ec.message());
  STEER_CHECK(linkNames(directory, files));
  removeOldVersions(directory, *version);
  return Changed::yes;
}

}  // namespace steer
