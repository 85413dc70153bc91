#pragma once
// KeptState: what the commit that is applied asks for, where the newest one asks for something else. While the newest
// one waits, this is what drift is healed to. Thread rule: one owner; a plain value.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconciler/loop/source_keeper.h"

namespace steer {

class KeptState {
 public:
  /// Whether it is known what is applied; if not, nothing can be kept.
  bool known() const { return known_; }
  /// All that is wanted is applied.
  void settle(std::string commit);
  /// The commit that most of it is of; empty when nothing was ever applied.
  const std::string& commit() const { return commit_; }

  /// Another set is wanted from now on. Takes the bodies that it needs out of the one before.
  void replace(std::vector<WantedObject>& before, const std::vector<WantedObject>& after);
  /// Single objects are wanted otherwise; `before` null: it was not wanted. Takes its body at most: it keeps its name,
  /// by which its owner finds it.
  void change(const ObjectRef& ref, WantedObject* before);
  /// The set that is applied, read once more; `wanted` is what is wanted now.
  void read(std::string commit, std::vector<WantedObject> applied, const std::vector<WantedObject>& wanted);
  /// This object is as it is wanted now.
  void applied(const ObjectRef& ref) { differing_.erase(ref); }

  /// Objects of which something else is applied than is wanted; nothing: it is not applied at all.
  const std::map<ObjectRef, std::optional<WantedObject>>& differing() const { return differing_; }

 private:
  bool known_ = false;
  std::string commit_;
  std::map<ObjectRef, std::optional<WantedObject>> differing_;
};

}  // namespace steer
