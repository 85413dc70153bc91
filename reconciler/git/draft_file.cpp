#include "reconciler/git/draft_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/folder.h"
#include "core/private_file.h"

namespace steer::git {
namespace {

std::string folderOf(const std::string& cloneDir) { return cloneDir + "/steersman-drafts"; }
std::string fileOf(const std::string& cloneDir, const std::string& name) { return folderOf(cloneDir) + "/" + name; }

Error ioError(const std::string& path) {
  return makeError(Errc::io, "cannot write " + path + ": " + std::strerror(errno));
}

void flushFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<void> writeDraft(const std::string& cloneDir, const std::string& name, const std::string& text) {
  const std::string folder = folderOf(cloneDir);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return ioError(folder);
  STEER_CHECK(writePrivateFile(fileOf(cloneDir, name), text));
  flushFolder(folder);
  return {};
}

std::optional<std::string> readDraft(const std::string& cloneDir, const std::string& name) {
  std::ifstream in(fileOf(cloneDir, name), std::ios::binary);
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

Result<void> removeDraft(const std::string& cloneDir, const std::string& name) {
  const auto path = fileOf(cloneDir, name);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) return ioError(path);
  return {};
}

void moveDrafts(const std::string& fromClone, const std::string& toClone) {
  for (const auto& path : pathsIn(folderOf(fromClone))) {
    const auto name = path.filename().string();
    if (name.ends_with(".new")) continue;
    if (const auto text = readDraft(fromClone, name)) (void)writeDraft(toClone, name, *text);
  }
}

}  // namespace steer::git
