#include "cluster/scheduler/preemption.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "cluster/scheduler/fit.h"

namespace steer {
namespace {

struct Lower {
  ObjectPtr pod;
  PodNeeds needs;
};

void give(NodeView& node, const PodNeeds& needs) {
  node.used.add(needs.requests, -1);
  --node.pods;
  for (const auto& port : needs.hostPorts) {
    const auto at = std::find(node.hostPorts.begin(), node.hostPorts.end(), port);
    if (at != node.hostPorts.end()) node.hostPorts.erase(at);
  }
}

void take(NodeView& node, const PodNeeds& needs) {
  node.used.add(needs.requests, 1);
  ++node.pods;
  node.hostPorts.insert(node.hostPorts.end(), needs.hostPorts.begin(), needs.hostPorts.end());
}

/// Who must go first is last: higher priority stays longer, then who has run longer.
bool stays(const Lower& a, const Lower& b) {
  return std::make_tuple(-a.needs.priority, a.pod->created().value_or(Time{}), a.pod->revision()) <
         std::make_tuple(-b.needs.priority, b.pod->created().value_or(Time{}), b.pod->revision());
}

/// As few as possible of these; nothing when all of them would not do.
std::optional<std::vector<const Lower*>> victimsOn(NodeView node, const PodNeeds& needs, std::vector<Lower>& lower) {
  for (const auto& one : lower) give(node, one.needs);
  if (!hasSpace(needs, node)) return std::nullopt;
  std::sort(lower.begin(), lower.end(), stays);
  std::vector<const Lower*> out;
  for (const auto& one : lower) {
    take(node, one.needs);
    if (hasSpace(needs, node)) continue;
    give(node, one.needs);
    out.push_back(&one);
  }
  return out;
}

/// Less is better: the highest priority among the victims, the sum of all, their number; then who began last goes.
using Price = std::tuple<std::int64_t, std::int64_t, std::size_t, Duration>;

Price priceOf(const std::vector<const Lower*>& victims) {
  std::int64_t highest = std::numeric_limits<std::int64_t>::min(), sum = 0;
  Time first = Time::max();
  for (const auto* one : victims) {
    highest = std::max(highest, one->needs.priority);
    sum += one->needs.priority;
    first = std::min(first, one->pod->created().value_or(Time{}));
  }
  return {highest, sum, victims.size(), -first.time_since_epoch()};
}

}  // namespace

std::optional<Preemption> preempt(ClusterView& view, const ObjectPtr& pod, const std::vector<ObjectPtr>& bound) {
  if (stringAt(pod->spec(), {"preemptionPolicy"}) == "Never") return std::nullopt;
  const auto needs = needsOf(pod);
  const auto nominated = stringAt(pod->status(), {"nominatedNodeName"});
  std::map<std::string, std::vector<Lower>, std::less<>> lower;
  for (const auto& other : bound) {
    auto its = needsOf(other);
    if (its.priority >= needs.priority) continue;
    const auto node = stringAt(other->spec(), {"nodeName"});
    if (other->deleting() && !nominated.empty() && node == nominated) return std::nullopt;
    lower[std::string(node)].push_back({other, std::move(its)});
  }
  std::optional<Preemption> best;
  std::optional<Price> least;
  for (const auto* node : view.nodes()) {
    const auto there = lower.find(node->name);
    if (there == lower.end() || !staticRefusals(needs, *node).empty()) continue;
    const auto victims = victimsOn(*node, needs, there->second);
    if (!victims || victims->empty()) continue;
    const auto price = priceOf(*victims);
    if (least && *least <= price) continue;
    least = price;
    best = Preemption{node->name, {}};
    for (const auto* one : *victims) best->victims.push_back(one->pod);
  }
  return best;
}

}  // namespace steer
