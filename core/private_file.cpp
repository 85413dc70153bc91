#include "core/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace steer {
namespace {

Error ioError(const std::string& path, int why) {
  return makeError(Errc::io, "cannot write " + path + ": " + std::strerror(why));
}

/// 0, or errno.
int writeAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? EIO : errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

bool holds(const std::string& path, std::string_view text, mode_t mode) {
  std::ifstream in(path, std::ios::binary);
  struct stat st {};
  if (!in || ::stat(path.c_str(), &st) != 0 || (st.st_mode & 07777U) != mode) return false;
  return std::string{std::istreambuf_iterator<char>(in), {}} == text;
}

}  // namespace

Result<void> writePrivateFile(const std::string& path, std::string_view text, unsigned mode) {
  struct stat there {};
  const bool known = ::lstat(path.c_str(), &there) == 0;
  // Renaming would put a file in the place of a device.
  const bool regular = known && S_ISREG(there.st_mode);
  if (known && !regular && !S_ISLNK(there.st_mode)) return makeError(Errc::io, path + ": is not a file");
  if (regular && holds(path, text, mode)) return {};
  std::string beside = path + ".XXXXXX";
  const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
  if (fd < 0) return ioError(path, errno);
  int failure = writeAll(fd, text);
  if (failure == 0 && (::fchmod(fd, mode) != 0 || ::fsync(fd) != 0)) failure = errno;
  if (::close(fd) != 0 && failure == 0) failure = errno;
  if (failure == 0 && ::rename(beside.c_str(), path.c_str()) != 0) failure = errno;
  if (failure == 0) return {};
  ::unlink(beside.c_str());
  return ioError(path, failure);
}

}  // namespace steer
