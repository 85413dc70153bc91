#pragma once
// AcknowledgedMark: a small file beside the log that holds the newest revision that was acknowledged. It is written
// after each group and not flushed: it survives the end of the process, and after a power cut it is at most too old. So
// it never says too much, and tells when the end of the log is gone. Thread rule: one writer. Failure rule: without it
// nothing is told; no commit fails for it.
#include <cstdint>
#include <string>
#include <utility>

namespace steer {

class AcknowledgedMark {
 public:
  AcknowledgedMark() = default;
  /// Opens or makes the file; what it holds is in revision().
  explicit AcknowledgedMark(const std::string& path);
  AcknowledgedMark(AcknowledgedMark&& o) noexcept
      : fd_(std::exchange(o.fd_, -1)), revision_(std::exchange(o.revision_, 0)) {}
  AcknowledgedMark& operator=(AcknowledgedMark&& o) noexcept {
    std::swap(fd_, o.fd_);
    std::swap(revision_, o.revision_);
    return *this;
  }
  ~AcknowledgedMark();

  /// 0 = nothing is known.
  std::uint64_t revision() const { return revision_; }
  void note(std::uint64_t revision);

 private:
  int fd_ = -1;
  std::uint64_t revision_ = 0;
};

}  // namespace steer
