#include "core/random.h"

#include <array>
#include <cstdio>

namespace steer {
namespace {

std::uint64_t osSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) ^ device();
}

}  // namespace

Random::Random() : engine_(osSeed()) {}
Random::Random(std::uint64_t seed) : engine_(seed) {}

std::uint64_t Random::next() {
  std::lock_guard lock(mutex_);
  return engine_();
}

std::uint64_t Random::below(std::uint64_t bound) {
  std::lock_guard lock(mutex_);
  return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
}

std::string Random::uuid() {
  const std::uint64_t hi = (next() & ~std::uint64_t{0xF000}) | 0x4000;
  const std::uint64_t lo = (next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{1} << 63);
  std::array<char, 37> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(hi >> 32),
                static_cast<unsigned>((hi >> 16) & 0xFFFF), static_cast<unsigned>(hi & 0xFFFF),
                static_cast<unsigned>(lo >> 48), static_cast<unsigned long long>(lo & 0xFFFFFFFFFFFFULL));
  return buffer.data();
}

std::string Random::suffix(std::size_t n) {
  static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += alphabet[below(alphabet.size())];
  return out;
}

}  // namespace steer
