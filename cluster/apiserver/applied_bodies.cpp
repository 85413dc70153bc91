#include "cluster/apiserver/applied_bodies.h"

#include <algorithm>

namespace steer {

AppliedBodies::Digest AppliedBodies::pack(std::string_view digest) {
  Digest out{};
  std::copy_n(digest.begin(), std::min(digest.size(), out.size()), out.begin());
  return out;
}

void AppliedBodies::noteUnchanged(std::uint64_t revision, std::string_view digest) {
  if (revision == 0 || digest.empty()) return;
  auto known = known_.lock();
  if (known->size() >= limit_) known->clear();
  (*known)[revision] = pack(digest);
}

bool AppliedBodies::unchanged(std::uint64_t revision, std::string_view digest) const {
  if (revision == 0 || digest.empty()) return false;
  auto known = known_.lock();
  const auto it = known->find(revision);
  return it != known->end() && it->second == pack(digest);
}

void AppliedBodies::carry(std::uint64_t before, std::uint64_t after) {
  auto known = known_.lock();
  const auto it = known->find(before);
  if (it == known->end() || before == after) return;
  const Digest digest = it->second;
  known->erase(it);
  (*known)[after] = digest;
}

}  // namespace steer
