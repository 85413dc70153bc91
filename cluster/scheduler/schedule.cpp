#include "cluster/scheduler/schedule.h"

#include <algorithm>
#include <map>
#include <queue>

#include "cluster/scheduler/fit.h"

namespace steer {
namespace {

std::uint64_t mix(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = seed ^ 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  h ^= h >> 33;
  return h * 0xff51afd7ed558ccdULL;
}

/// What breaks ties: neither a uid nor the random end of a name, so that a copy of the cluster decides as the
/// cluster itself will. Pods without labels of their own go by the name they were given.
std::string identityOf(const PodNeeds& needs) {
  if (!needs.group.empty()) return needs.group;
  const auto stem = stringAt(needs.pod->metadata(), {"generateName"});
  return needs.pod->ns() + "/" + std::string(stem.empty() ? std::string_view(needs.pod->name()) : stem);
}

/// A node that suits this kind of pod.
struct Candidate {
  NodeView* node = nullptr;
  std::int64_t fixedScore = 0;  ///< affinity and taints: they do not change while pods are placed
  std::uint64_t tie = 0;
};

std::int64_t scoreOf(const PodNeeds& needs, const Candidate& candidate) {
  const auto& node = *candidate.node;
  const auto fraction = [](std::int64_t used, std::int64_t have) {
    return have <= 0 ? 1.0 : std::min(1.0, static_cast<double>(used) / static_cast<double>(have));
  };
  // A pod that asks for nothing still takes something: count it as a small one, as Kubernetes does.
  const auto cpu = std::max<std::int64_t>(needs.requests.milliCpu, 100);
  const auto memory = std::max<std::int64_t>(needs.requests.memory, std::int64_t{200} << 20);
  const double c = fraction(node.used.milliCpu + cpu + (needs.requests.milliCpu == 0 ? node.pods * 10 : 0),
                            node.allocatable.milliCpu);
  const double m = fraction(node.used.memory + memory, node.allocatable.memory);
  const double least = (2.0 - c - m) * 500;                // 0..1000
  const double balanced = (1.0 - std::abs(c - m)) * 1000;  // 0..1000
  std::int64_t score = static_cast<std::int64_t>(least + balanced) + candidate.fixedScore;
  if (!needs.group.empty())
    if (const auto company = node.groups.find(needs.group); company != node.groups.end())
      score -= 2000 * company->second;
  return score;
}

std::string refusalText(std::size_t nodeCount, const std::map<Refusal, std::size_t>& refusals) {
  if (nodeCount == 0) return "no nodes available to schedule pods";
  std::vector<std::pair<std::size_t, Refusal>> ordered;
  for (const auto& [refusal, count] : refusals) ordered.emplace_back(count, refusal);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string out = "0/" + std::to_string(nodeCount) + " nodes are available";
  const char* separator = ": ";
  for (const auto& [count, refusal] : ordered) {
    out += separator + std::to_string(count) + " " + (count == 1 ? refusal.one : refusal.many);
    separator = ", ";
  }
  return out + ".";
}

/// Places pods of one kind. Nodes wait in a heap by score; placing a pod changes one node's score.
class KindPlacer {
 public:
  KindPlacer(ClusterView& view, const std::vector<NodeView*>& nodes, const PodNeeds& first)
      : view_(view), nodes_(nodes) {
    const auto seed = mix(identityOf(first), 0);
    for (auto* node : nodes) {
      if (!staticRefusals(first, *node).empty()) continue;
      Candidate candidate{node, 0, mix(node->name, seed)};
      candidate.fixedScore =
          20 * preferredAffinity(*first.pod, *node->node) - 300 * unwantedTaints(*first.pod, *node->node);
      candidates_.push_back(candidate);
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) push(first, i);
  }

  Placement place(const PodNeeds& needs) {
    Placement out;
    out.pod = needs.pod;
    while (!heap_.empty()) {
      const auto top = heap_.top();
      heap_.pop();
      auto& candidate = candidates_[top.index];
      view_.assume(needs, candidate.node->name);
      out.node = candidate.node->name;
      push(needs, top.index);
      return out;
    }
    out.reason = "Unschedulable";
    if (text_.empty()) text_ = explain(needs);  // nothing has changed since the last one of this kind
    out.message = text_;
    return out;
  }

 private:
  struct Entry {
    std::int64_t score;
    std::uint64_t tie;
    std::size_t index;
    bool operator<(const Entry& o) const { return std::tie(score, tie) < std::tie(o.score, o.tie); }
  };

  void push(const PodNeeds& needs, std::size_t index) {
    const auto& candidate = candidates_[index];
    if (hasSpace(needs, *candidate.node)) heap_.push({scoreOf(needs, candidate), candidate.tie, index});
  }

  std::string explain(const PodNeeds& needs) const {
    std::map<Refusal, std::size_t> refusals;
    for (const auto* node : nodes_) {
      auto reasons = staticRefusals(needs, *node);
      if (reasons.empty()) reasons = spaceRefusals(needs, *node);
      for (auto& reason : reasons) ++refusals[std::move(reason)];
    }
    return refusalText(nodes_.size(), refusals);
  }

  ClusterView& view_;
  const std::vector<NodeView*>& nodes_;
  std::vector<Candidate> candidates_;
  std::priority_queue<Entry> heap_;
  std::string text_;
};

}  // namespace

std::vector<Placement> schedule(ClusterView& view, const std::vector<ObjectPtr>& pods) {
  std::vector<PodNeeds> queue;
  std::vector<Placement> out;
  for (const auto& pod : pods) {
    auto needs = needsOf(pod);
    if (needs.gated)
      out.push_back({pod, "", "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates"});
    else queue.push_back(std::move(needs));
  }
  std::vector<std::pair<Time, std::size_t>> order;
  for (std::size_t i = 0; i < queue.size(); ++i) order.emplace_back(queue[i].pod->created().value_or(Time{}), i);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    const auto& x = queue[a.second];
    const auto& y = queue[b.second];
    // By revision, not by name: names end at random, and who was written first stays the same however many
    // pods of one second are looked at together.
    return std::make_tuple(y.priority, a.first, x.pod->revision(), std::string_view(x.pod->name())) <
           std::make_tuple(x.priority, b.first, y.pod->revision(), std::string_view(y.pod->name()));
  });
  const auto nodes = view.nodes();
  std::unique_ptr<KindPlacer> placer;
  const PodNeeds* kind = nullptr;
  for (const auto& [created, i] : order) {
    const auto& needs = queue[i];
    if (kind == nullptr || !needs.alike(*kind)) placer = std::make_unique<KindPlacer>(view, nodes, needs);
    kind = &needs;
    out.push_back(placer->place(needs));
  }
  return out;
}

}  // namespace steer
