// What the disk itself can do: nothing that acknowledges after a flush can be faster alone.
#include <fcntl.h>
#include <unistd.h>

#include "measure.h"

namespace steer::bench {

Measured measureFloor(const std::string& dir, std::size_t bytes, FileGrowth growth,
                      std::chrono::milliseconds duration) {
  using Clock = std::chrono::steady_clock;
  Measured out;
  out.name = growth == FileGrowth::appended ? "append+fdatasync" : "write+fdatasync";
  const std::string path = dir + "/floor";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string data(bytes, 'x');
  constexpr std::size_t kFile = 32 * 1024 * 1024;
  std::size_t at = 0;
  if (growth == FileGrowth::overwritten) {
    const std::string zeros(kFile, '\0');
    if (::write(fd, zeros.data(), zeros.size()) < 0 || ::fsync(fd) != 0) out.failure = "cannot write " + path;
  }
  const auto start = Clock::now();
  for (auto now = start; now - start < duration;) {
    if (growth == FileGrowth::overwritten && at + bytes > kFile) at = 0;
    if (::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(data.size()) ||
        ::fdatasync(fd) != 0) {
      out.failure = "cannot write " + path;
      break;
    }
    const auto later = Clock::now();
    out.micros.push_back(std::chrono::duration<float, std::micro>(later - now).count());
    now = later;
    at += bytes;
    ++out.commits;
  }
  out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ::close(fd);
  ::unlink(path.c_str());
  return out;
}

}  // namespace steer::bench
