#pragma once
// AppliedBodies: what the server has seen to change nothing. "Applying the body of digest D to the
// object at revision R leaves it as it is" stays true for ever, because R names one state of one
// object; so a later question about the same pair needs no merge. Thread rule: thread-safe.
// Failure rule: it forgets everything when it grows past its limit; forgetting only costs time.
#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "core/sync.h"

namespace steer {

class AppliedBodies {
 public:
  explicit AppliedBodies(std::size_t limit = 200'000) : limit_(limit) {}

  void noteUnchanged(std::uint64_t revision, std::string_view digest);
  bool unchanged(std::uint64_t revision, std::string_view digest) const;
  /// Only the status of the object changed: what left `before` as it was leaves `after` as it is.
  void carry(std::uint64_t before, std::uint64_t after);

 private:
  using Digest = std::array<char, 32>;
  static Digest pack(std::string_view digest);

  std::size_t limit_;
  mutable Sync<std::unordered_map<std::uint64_t, Digest>> known_;
};

}  // namespace steer
