#pragma once
// WaveWatch: are the objects of a wave healthy, so that the next one may begin? What is healthy once
// is not asked again. Thread rule: one owner.
#include <functional>
#include <string>
#include <vector>

#include "reconciler/health/health.h"
#include "reconciler/plan/plan.h"

namespace steer {

/// An object as it is known now; null: not there, or not seen yet.
using LookUp = std::function<ObjectPtr(const ObjectRef&)>;

class WaveWatch {
 public:
  /// `result`: the object as this run wrote it; null: it was left as it is. What was left as it is and is
  /// degraded does not hold back others: it was so before.
  void add(const PlannedChange& change, const ObjectPtr& result);
  /// The worst of what is not healthy, with the object's name in the reason.
  Health look(const LookUp& lookUp);
  /// Likewise; `gone` says whether an object that was not seen is not there at all.
  Health look(const LookUp& lookUp, const std::function<bool(const ObjectRef&)>& gone);

 private:
  struct Item {
    ObjectRef ref;
    std::string text;
    bool changed = false;
    bool goes = false;  ///< by itself, when it has done its work
    std::uint64_t revision = 0;
  };
  std::vector<Item> open_;
};

}  // namespace steer
