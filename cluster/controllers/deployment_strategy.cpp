// RollingUpdate and Recreate.
#include <algorithm>

#include "cluster/controllers/pod_facts.h"
#include "cluster/controllers/rollout.h"

namespace steer {

std::int64_t Rollout::allowedForNewSet(std::int64_t current) const {
  const auto room = replicas() + maxSurge() - specSum();
  if (room <= 0) return current;
  return current + std::min(room, std::max<std::int64_t>(0, replicas() - current));
}

bool Rollout::scaleNewSet() {
  auto& set = *newSet();
  if (set.fresh) return true;
  const auto current = set.replicas();
  if (current == replicas()) return scaleSet(set, current);
  return scaleSet(set, current > replicas() ? replicas() : allowedForNewSet(current));
}

/// Old pods that are not available may go first: they serve nobody.
std::int64_t Rollout::cleanUnhealthy(std::int64_t limit) {
  std::int64_t done = 0;
  for (auto* set : oldSets()) {
    if (done >= limit) break;
    const auto idle = set->replicas() - set->statusOf("availableReplicas");
    if (set->replicas() == 0 || idle <= 0) continue;
    const auto step = std::min(limit - done, idle);
    scaleSet(*set, set->replicas() - step);
    done += step;
  }
  return done;
}

void Rollout::scaleOldSets() {
  const auto old = oldSets();
  if (std::all_of(old.begin(), old.end(), [](const Set* s) { return s->replicas() == 0; })) return;
  const auto minAvailable = replicas() - maxUnavailable();
  const auto newUnavailable = newSet()->replicas() - newSet()->statusOf("availableReplicas");
  const auto spare = specSum() - minAvailable - newUnavailable;
  if (spare <= 0) return;
  const auto cleaned = cleanUnhealthy(spare);
  // A set that was just scaled down still reports the pods it gave up: what it may have is the limit.
  std::int64_t available = 0;
  for (const auto& set : sets_) available += std::min(set.statusOf("availableReplicas"), set.replicas());
  auto left = std::min(available - minAvailable, spare - cleaned);
  for (auto* set : old) {
    if (left <= 0) break;
    const auto step = std::min(set->replicas(), left);
    if (step <= 0) continue;
    scaleSet(*set, set->replicas() - step);
    left -= step;
  }
}

void Rollout::rollOut() {
  if (!ensureNewSet()) return;
  if (!scaleNewSet()) scaleOldSets();  // one direction per decision: counts are observed in between
}

bool Rollout::oldPodsRunning() {
  for (const auto* set : oldSets())
    for (const auto& pod : snapshot_.ownedBy("pods", set->object->uid()))
      if (!podfacts::terminal(*pod)) return true;
  return false;
}

void Rollout::recreate() {
  bool scaled = false;
  for (auto* set : oldSets())
    if (set->replicas() > 0) scaled = scaleSet(*set, 0) || scaled;
  if (scaled || oldPodsRunning()) return;
  if (ensureNewSet() && !newSet()->fresh) scaleSet(*newSet(), replicas());
}

}  // namespace steer
