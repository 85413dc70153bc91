#include "cluster/controllers/scale_down.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "cluster/controllers/pod_facts.h"

namespace steer {
namespace {

/// What the order looks at, read once per pod. Smaller goes first, member by member.
struct Rank {
  int assigned = 0;
  int phase = 0;
  int ready = 0;
  std::int64_t cost = 0;
  std::int64_t company = 0;   ///< negative count: more company goes first
  int readyAge = 0;           ///< logarithmic bucket of the time it has been ready
  std::int64_t restarts = 0;  ///< negative count: more restarts go first
  int age = 0;
  std::string node;  ///< before the uid: which of two equals goes is the same in a copy of the cluster
  std::string uid;
  auto operator<=>(const Rank&) const = default;
};

int logBucket(std::optional<Time> since, Time now) {
  if (!since || now <= *since) return 0;
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>((now - *since) / seconds(1))));
}

Rank rankOf(const Object& pod, const std::map<std::string, std::size_t>& podsPerNode, Time now) {
  Rank rank;
  const std::string node(stringAt(pod.spec(), {"nodeName"}));
  rank.assigned = node.empty() ? 0 : 1;
  const auto phase = stringAt(pod.status(), {"phase"});
  rank.phase = phase == "Running" ? 2 : phase == "Unknown" ? 1 : 0;
  rank.ready = podfacts::ready(pod) ? 1 : 0;
  const auto cost = pod.annotation("controller.kubernetes.io/pod-deletion-cost");
  std::from_chars(cost.data(), cost.data() + cost.size(), rank.cost);
  const auto company = podsPerNode.find(node);
  if (!node.empty() && company != podsPerNode.end()) rank.company = -static_cast<std::int64_t>(company->second);
  rank.readyAge = logBucket(podfacts::readySince(pod), now);
  rank.restarts = -podfacts::restarts(pod);
  rank.age = logBucket(pod.created(), now);
  rank.node = node;
  rank.uid = pod.uid();
  return rank;
}

}  // namespace

std::vector<ObjectPtr> podsToDelete(std::vector<ObjectPtr> pods, std::size_t count,
                                    const std::map<std::string, std::size_t>& podsPerNode, Time now) {
  if (count >= pods.size()) return pods;
  std::vector<std::pair<Rank, ObjectPtr>> ranked;
  ranked.reserve(pods.size());
  for (auto& pod : pods) ranked.emplace_back(rankOf(*pod, podsPerNode, now), std::move(pod));
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ObjectPtr> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::move(ranked[i].second));
  return out;
}

}  // namespace steer
