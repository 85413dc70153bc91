#include "nodeagent/volumes/sub_path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace steer {

namespace fs = std::filesystem;

namespace {

int openBeneath(int root, const std::string& path, unsigned flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

Error failure(const std::string& subPath) {
  if (errno == EXDEV || errno == ELOOP)
    return makeError(Errc::forbidden, "subPath \"" + subPath + "\" leads out of its volume");
  return makeError(Errc::io, "subPath \"" + subPath + "\": " + std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

}  // namespace

Result<int> openInside(const fs::path& volume, const std::string& subPath) {
  for (const auto& part : fs::path(subPath))
    if (part == ".." || subPath.starts_with('/'))
      return makeError(Errc::forbidden, "subPath \"" + subPath + "\" leads out of its volume");
  const Descriptor root(open(volume.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return makeError(Errc::io, volume.string() + ": " + std::strerror(errno));
  int fd = openBeneath(root.get(), subPath, O_PATH);
  if (fd >= 0) return fd;
  if (errno != ENOENT) return failure(subPath);
  fs::path made;
  for (const auto& part : fs::path(subPath)) {
    const Descriptor parent(openBeneath(root.get(), made.empty() ? "." : made.string(), O_PATH | O_DIRECTORY));
    if (parent.get() < 0) return failure(subPath);
    if (mkdirat(parent.get(), part.c_str(), 0755) != 0 && errno != EEXIST) return failure(subPath);
    made /= part;
  }
  fd = openBeneath(root.get(), subPath, O_PATH);
  if (fd < 0) return failure(subPath);
  return fd;
}

}  // namespace steer
