#include "cluster/scheduler/cluster_view.h"

#include <algorithm>

#include "core/quantity.h"

namespace steer {

NodeView& ClusterView::viewOf(std::string_view name) {
  const auto found = nodes_.find(name);
  if (found != nodes_.end()) return *found->second;
  auto fresh = std::make_unique<NodeView>();
  fresh->name = name;
  return *nodes_.emplace(std::string(name), std::move(fresh)).first->second;
}

void ClusterView::putNode(const ObjectPtr& node) {
  auto& view = viewOf(node->name());
  const auto& allocatable = objectAt(node->status(), {"allocatable"});
  const auto& amounts = allocatable.empty() ? objectAt(node->status(), {"capacity"}) : allocatable;
  view.node = node;
  view.allocatable = amountsOf(amounts);
  const auto* pods = amounts.if_contains("pods");
  const auto limit = pods == nullptr ? Quantity() : Quantity::fromJson(*pods).valueOr(Quantity());
  view.podLimit = limit.units();
}

void ClusterView::removeNode(std::string_view name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return;
  found->second->node = nullptr;
  if (found->second->pods == 0) nodes_.erase(found);
}

std::shared_ptr<const PodNeeds> ClusterView::shared(PodNeeds needs) {
  needs.pod = nullptr;  // what was seen then is not kept alive
  if (last_ && last_->requests == needs.requests && last_->hostPorts == needs.hostPorts && last_->group == needs.group)
    return last_;
  last_ = std::make_shared<const PodNeeds>(std::move(needs));
  return last_;
}

void ClusterView::place(std::shared_ptr<const PodNeeds> needs, const std::string& uid, NodeView& node) {
  node.used.add(needs->requests, 1);
  ++node.pods;
  node.hostPorts.insert(node.hostPorts.end(), needs->hostPorts.begin(), needs->hostPorts.end());
  if (!needs->group.empty()) ++node.groups[needs->group];
  pods_[uid] = {&node, std::move(needs)};
}

void ClusterView::release(const Placed& placed) {
  auto& node = *placed.node;
  node.used.add(placed.needs->requests, -1);
  --node.pods;
  for (const auto& port : placed.needs->hostPorts) {
    const auto at = std::find(node.hostPorts.begin(), node.hostPorts.end(), port);
    if (at != node.hostPorts.end()) node.hostPorts.erase(at);
  }
  if (!placed.needs->group.empty())
    if (const auto at = node.groups.find(placed.needs->group); at != node.groups.end() && --at->second == 0)
      node.groups.erase(at);
}

void ClusterView::putPod(const ObjectPtr& pod) {
  const auto phase = stringAt(pod->status(), {"phase"});
  const auto node = stringAt(pod->spec(), {"nodeName"});
  const auto known = pods_.find(pod->uid());
  if (phase == "Succeeded" || phase == "Failed") return removePod(pod->uid());
  if (node.empty()) return;  // an assumed place stays until the binding is seen or given up
  if (known != pods_.end() && known->second.node->name == node) return;
  removePod(pod->uid());
  place(shared(needsOf(pod)), pod->uid(), viewOf(node));
}

void ClusterView::removePod(std::string_view uid) {
  const auto known = pods_.find(std::string(uid));
  if (known == pods_.end()) return;
  const Placed placed = std::move(known->second);
  pods_.erase(known);
  release(placed);
  if (placed.node->node == nullptr && placed.node->pods == 0) nodes_.erase(nodes_.find(placed.node->name));
}

void ClusterView::assume(const PodNeeds& needs, const std::string& node) {
  removePod(needs.pod->uid());
  place(shared(needs), needs.pod->uid(), viewOf(node));
}

std::vector<NodeView*> ClusterView::nodes() {
  std::vector<NodeView*> out;
  for (auto& [name, view] : nodes_)
    if (view->node) out.push_back(view.get());
  return out;
}

std::size_t ClusterView::nodeCount() const {
  return static_cast<std::size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [](const auto& item) { return item.second->node != nullptr; }));
}

}  // namespace steer
