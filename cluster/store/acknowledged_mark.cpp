#include "cluster/store/acknowledged_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace steer {
namespace {

// "REVISION CHECK\n", both with twenty digits; CHECK is the complement, so that half a write is none.
constexpr std::size_t kDigits = 20;
constexpr std::size_t kBytes = 2 * kDigits + 2;

std::uint64_t numberIn(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc{} && end == text.data() + text.size() ? n : 0;
}

}  // namespace

AcknowledgedMark::AcknowledgedMark(const std::string& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) return;
  std::array<char, kBytes> held{};
  if (::pread(fd_, held.data(), held.size(), 0) != static_cast<ssize_t>(held.size())) return;
  const std::string_view text(held.data(), held.size());
  const auto revision = numberIn(text.substr(0, kDigits));
  if (revision != 0 && numberIn(text.substr(kDigits + 1, kDigits)) == ~revision) revision_ = revision;
}

AcknowledgedMark::~AcknowledgedMark() {
  if (fd_ >= 0) ::close(fd_);
}

void AcknowledgedMark::note(std::uint64_t revision) {
  if (fd_ < 0) return;
  std::array<char, kBytes + 1> text{};
  std::snprintf(text.data(), text.size(), "%020llu %020llu\n", static_cast<unsigned long long>(revision),
                static_cast<unsigned long long>(~revision));
  if (::pwrite(fd_, text.data(), kBytes, 0) == static_cast<ssize_t>(kBytes)) revision_ = revision;
}

}  // namespace steer
