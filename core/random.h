#pragma once
// Chance as a door: uids, generated names and jitter draw from here. Seeded in the simulator,
// from the operating system in production. Thread rule: thread-safe.
#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace steer {

class Random {
 public:
  /// Seeded from the operating system.
  Random();
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// RFC 4122 version 4 text.
  std::string uuid();
  /// n characters of Kubernetes' suffix alphabet (no vowels, no look-alikes).
  std::string suffix(std::size_t n = 5);

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace steer
