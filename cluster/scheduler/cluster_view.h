#pragma once
// ClusterView: nodes with what is used on them, kept current change by change, so that a decision
// costs nothing for the pods that already run. Thread rule: one owner.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cluster/scheduler/pod_needs.h"
#include "core/object.h"

namespace steer {

struct NodeView {
  std::string name;
  ObjectPtr node;  ///< null: pods are bound to it, but it is not there
  Amounts allocatable;
  std::int64_t podLimit = 0;
  Amounts used;
  std::int64_t pods = 0;
  std::vector<PortClaim> hostPorts;
  std::unordered_map<std::string, std::int64_t> groups;  ///< pods of each group
};

class ClusterView {
 public:
  void putNode(const ObjectPtr& node);
  void removeNode(std::string_view name);
  /// A bound pod that is not terminal takes its place; any other state gives it back.
  void putPod(const ObjectPtr& pod);
  void removePod(std::string_view uid);
  /// Takes the place before the binding is seen; putPod or removePod settles it.
  void assume(const PodNeeds& needs, const std::string& node);

  std::vector<NodeView*> nodes();  ///< those that are there, by name
  std::size_t nodeCount() const;

 private:
  struct Placed {
    NodeView* node = nullptr;
    std::shared_ptr<const PodNeeds> needs;
  };
  NodeView& viewOf(std::string_view name);
  void place(std::shared_ptr<const PodNeeds> needs, const std::string& uid, NodeView& node);
  void release(const Placed& placed);
  std::shared_ptr<const PodNeeds> shared(PodNeeds needs);

  std::map<std::string, std::unique_ptr<NodeView>, std::less<>> nodes_;
  std::unordered_map<std::string, Placed> pods_;
  std::shared_ptr<const PodNeeds> last_;  ///< equal needs of neighbours are kept once
};

}  // namespace steer
