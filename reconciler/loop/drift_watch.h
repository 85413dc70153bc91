#pragma once
// DriftWatch: follows the application's objects by watch and tells which of the wanted ones were
// changed or deleted by others. Thread rule: one owner.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/client/informer.h"
#include "reconciler/plan/plan.h"

namespace steer {

/// Annotation: until when an object is left alone.
inline constexpr const char* kBreakGlass = "steersman.dev/break-glass";

class DriftWatch {
 public:
  DriftWatch(Client& client, const std::string& application, Waker waker);

  void setWanted(const std::vector<WantedObject>& wanted);
  /// The same as a difference: costs what changed.
  void changeWanted(const std::vector<WantedObject>& changed, const std::vector<ObjectRef>& removed);
  /// Objects that are looked after beside those that are wanted, until changeWanted() removes them.
  void watchAlso(const std::vector<ObjectRef>& refs) { wanted_.insert(refs.begin(), refs.end()); }
  /// Without hooks, which are no state.
  const std::set<ObjectRef>& wanted() const { return wanted_; }
  /// Wanted objects that changed, by whomever, or were asked for anew since the last call.
  std::set<ObjectRef> takeTouched() { return std::exchange(touched_, {}); }
  /// Those that live and carry kBreakGlass, wanted or not.
  const std::set<ObjectRef>& marked() const { return marked_; }
  /// Takes in what changed; revisions in `own` were written by us.
  void pump(Time now, const std::set<std::uint64_t>& own);
  bool synced() const { return informer_.synced(); }
  std::optional<Time> retryAt() const { return informer_.retryAt(); }
  const Snapshot& live() const { return informer_.snapshot(); }

  struct Suspect {
    ObjectRef ref;
    std::string how;  ///< "spec.replicas changed by kubectl-edit", "deleted"
  };
  /// Those that may be healed now; the rest (healed too often lately) wait.
  std::vector<Suspect> takeDue(Time now);
  /// Looks at it again although nothing was seen to change.
  void suspect(const ObjectRef& ref, std::string how) { suspects_[ref] = std::move(how); }
  bool anyWaiting() const { return !suspects_.empty(); }
  /// When the earliest of those that wait may be healed.
  std::optional<Time> nextDue() const;
  /// Objects that something else changes back at once each time, and how: they are left alone for a while, or until
  /// their manifest changes.
  const std::map<ObjectRef, std::string>& fights() const { return fights_; }
  /// Counts a healing: an object that someone else keeps changing is healed ever more slowly.
  void noteHealed(const ObjectRef& ref, Time now);

 private:
  struct Pace {
    int count = 0;
    Time last{};
    Time notBefore{};
    int returned = 0;     ///< times that the change came back at once
    bool healed = false;  ///< and nothing was seen of it since
  };
  void noteReturn(const ObjectRef& ref, const std::string& how, Time now);
  Informer informer_;
  std::set<ObjectRef> wanted_;
  std::set<ObjectRef> touched_;
  std::set<ObjectRef> marked_;
  std::map<ObjectRef, std::string> suspects_;
  std::map<ObjectRef, Pace> pace_;
  std::map<ObjectRef, std::string> fights_;
};

/// How the object moved away from `before`, in words. Pure.
std::string driftText(const ObjectPtr& before, const ObjectPtr& after);

}  // namespace steer
