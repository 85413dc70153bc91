#pragma once
// DesiredIndex: which objects a tree asks for, kept from one commit to the next, so that a commit that
// changes one file of a large repository costs that file. Pure: no cluster, no Git.
// Thread rule: one owner. Failure rule: whatever is not plainly a change of sound objects (findings,
// objects declared twice, namespaces that come or go) yields nothing, and the whole is made anew.
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "render/desired_set.h"

namespace steer {

struct DesiredChange {
  std::vector<DesiredObject> changed;  ///< new ones, and those whose file changed
  std::vector<ObjectRef> removed;
};

class DesiredIndex {
 public:
  /// Begins with a whole set, made with these options.
  void reset(const DesiredSet& set, const DesiredOptions& options);
  /// Goes on to another tree. The sources of the changed objects point into it.
  std::optional<DesiredChange> advance(const RenderedTree& tree, const DesiredOptions& options);
  std::size_t size() const { return refs_.size(); }

 private:
  bool declared(const DesiredObject& object) const;

  bool sound_ = false;  ///< the last tree had no finding at all
  RenderedTree tree_;
  DesiredOptions options_;
  std::set<ObjectRef> refs_;
  std::set<std::string> namespaces_;  ///< declared by the tree, existing, and standing
};

}  // namespace steer
