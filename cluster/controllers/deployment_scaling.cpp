// Sizes of replica sets when the deployment itself is scaled.
#include <algorithm>
#include <cmath>

#include "cluster/controllers/rollout.h"

namespace steer {

void Rollout::annotateSize(Set& set) {
  auto& annotations = ensureObject(ensureObject(set.body, "metadata"), "annotations");
  auto put = [&](std::string_view key, std::int64_t value) {
    const auto text = std::to_string(value);
    if (stringAt(annotations, {key}) == text) return;
    annotations[jkey(key)] = text;
    set.changed = true;
  };
  put(kDesiredReplicas, replicas());
  put(kMaxReplicas, replicas() + maxSurge());
}

/// True when the size changed; the annotations follow in either case.
bool Rollout::scaleSet(Set& set, std::int64_t to) {
  annotateSize(set);
  const auto from = set.replicas();
  if (from == to) return false;
  ensureObject(set.body, "spec")["replicas"] = to;
  set.changed = true;
  out_.events.push_back({deployment_, "Normal", "ScalingReplicaSet",
                         std::string("Scaled ") + (to > from ? "up" : "down") + " replica set " + set.name() +
                             " from " + std::to_string(from) + " to " + std::to_string(to),
                         std::nullopt});
  return true;
}

bool Rollout::scalingWanted() const {
  return std::any_of(sets_.begin(), sets_.end(), [&](const Set& set) {
    const bool known = !stringAt(set.body, {"metadata", "annotations", kDesiredReplicas}).empty();
    return set.replicas() > 0 && known && set.annotationNumber(kDesiredReplicas) != replicas();
  });
}

void Rollout::scaleProportionally() {
  std::vector<Set*> active;
  for (auto& set : sets_)
    if (set.replicas() > 0) active.push_back(&set);
  if (active.size() <= 1) {
    auto old = oldSets();
    Set* only = !active.empty() ? active.front() : newSet() != nullptr ? newSet() : old.empty() ? nullptr : old.back();
    if (only != nullptr) scaleSet(*only, replicas());
    return;
  }
  const auto* current = newSet();
  if (current != nullptr && current->replicas() == replicas() &&
      current->annotationNumber(kDesiredReplicas) == replicas() &&
      current->statusOf("availableReplicas") == replicas()) {
    for (auto* set : oldSets())
      if (set->replicas() > 0) scaleSet(*set, 0);
    return;
  }
  if (rolling()) spreadOver(std::move(active));
}

void Rollout::spreadOver(std::vector<Set*> active) {
  std::int64_t total = 0;
  for (const auto* set : active) total += set->replicas();
  const auto allowed = replicas() > 0 ? replicas() + maxSurge() : 0;
  const auto toAdd = allowed - total;
  // The largest comes first and takes what rounding leaves; of equals the newer when growing, the
  // older when shrinking. sets_ is oldest first.
  if (toAdd > 0) std::reverse(active.begin(), active.end());
  std::stable_sort(active.begin(), active.end(),
                   [](const Set* a, const Set* b) { return a->replicas() > b->replicas(); });
  std::vector<std::int64_t> sizes;
  std::int64_t added = 0;
  for (const auto* set : active) {
    std::int64_t share = 0;
    if (toAdd != added && toAdd != 0) {
      const auto maxBefore =
          std::max<std::int64_t>(1, set->annotationNumber(kMaxReplicas) > 0 ? set->annotationNumber(kMaxReplicas)
                                                                            : intAt(before_, {"replicas"}));
      const double target = static_cast<double>(set->replicas()) * static_cast<double>(replicas() + maxSurge()) /
                            static_cast<double>(maxBefore);
      const auto fraction = replicas() == 0 ? -set->replicas() : std::llround(target) - set->replicas();
      share =
          toAdd > 0 ? std::min<std::int64_t>(fraction, toAdd - added) : std::max<std::int64_t>(fraction, toAdd - added);
    }
    sizes.push_back(set->replicas() + share);
    added += share;
  }
  if (!sizes.empty()) sizes.front() = std::max<std::int64_t>(0, sizes.front() + toAdd - added);
  for (std::size_t i = 0; i < active.size(); ++i) scaleSet(*active[i], std::max<std::int64_t>(0, sizes[i]));
}

}  // namespace steer
