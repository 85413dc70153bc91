#include "cli/cluster/data_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace steer::cli {
namespace fs = std::filesystem;

namespace {

Error ioError(const std::string& doing, const fs::path& path, int code) {
  return makeError(Errc::io, doing + " " + path.string() + ": " + std::strerror(code));
}

}  // namespace

DataDir DataDir::choose(const std::string& flag) {
  if (!flag.empty()) return {fs::absolute(flag)};
  if (const char* env = std::getenv("STEER_DATA_DIR"); env != nullptr && *env != '\0') return {fs::absolute(env)};
  if (geteuid() == 0) return {"/var/lib/steersman"};
  const char* home = std::getenv("HOME");
  return {fs::path(home == nullptr ? "." : home) / ".local/share/steersman"};
}

Result<void> DataDir::ensure() const {
  for (const auto& dir : {root, pki(), nodes(), source()}) {
    std::error_code ec;
    fs::create_directories(dir, ec);
    if (ec)
      return makeError(Errc::io,
                       "cannot make " + dir.string() + ": " + ec.message() + "; choose another place with --data-dir");
    fs::permissions(dir, fs::perms::owner_all, ec);
  }
  return {};
}

namespace {

/// Whether it says so already: then a full disk need not take it again.
bool holds(const fs::path& path, const std::string& text, unsigned mode) {
  struct stat st {};
  if (lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777U) != mode) return false;
  const auto there = readFile(path);
  return there.ok() && *there == text;
}

}  // namespace

Result<void> writeFileAtomically(const fs::path& path, const std::string& text, unsigned mode) {
  if (holds(path, text, mode)) return {};
  const fs::path temporary = path.string() + ".tmp" + std::to_string(getpid());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return ioError("cannot write", temporary, errno);
  std::size_t done = 0;
  int failure = 0;
  while (done < text.size() && failure == 0) {
    const auto n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) failure = errno;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (failure == 0 && fsync(fd) != 0) failure = errno;
  close(fd);
  if (failure == 0 && rename(temporary.c_str(), path.c_str()) != 0) failure = errno;
  if (failure != 0) {
    unlink(temporary.c_str());
    return ioError("cannot write", path, failure);
  }
  return {};
}

Result<std::string> readFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return ioError("cannot read", path, errno);
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return ioError("cannot read", path, errno);
  return text.str();
}

}  // namespace steer::cli
