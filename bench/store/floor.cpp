// What the disk itself can do: nothing that acknowledges after a flush can be faster alone.
#include <fcntl.h>
#include <unistd.h>

#include "measure.h"

namespace steer::bench {

Measured measureFloor(const std::string& dir, std::size_t bytes, std::chrono::milliseconds duration) {
  using Clock = std::chrono::steady_clock;
  Measured out;
  out.name = "write+fdatasync";
  const std::string path = dir + "/floor";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string data(bytes, 'x');
  const auto start = Clock::now();
  for (auto now = start; now - start < duration;) {
    if (::write(fd, data.data(), data.size()) != static_cast<ssize_t>(data.size()) || ::fdatasync(fd) != 0) {
      out.failure = "cannot write " + path;
      break;
    }
    const auto later = Clock::now();
    out.micros.push_back(std::chrono::duration<float, std::micro>(later - now).count());
    now = later;
    ++out.commits;
  }
  out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  ::close(fd);
  ::unlink(path.c_str());
  return out;
}

}  // namespace steer::bench
