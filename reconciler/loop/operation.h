#pragma once
// Operation: one commit (or one healing) on its way through plan, apply and health, as a value that
// steps. It fills an ApplyRecord. Thread rule: one owner. Failure rule: a cluster that cannot be
// reached is tried again with back-off; what the server refuses is part of the record.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/snapshot.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "reconciler/report/apply_record.h"

namespace steer {

class Operation {
 public:
  enum class Phase { planning, applying, watching, finished };
  enum class WhenEmpty { record, drop };

  /// A plan that waits for a person, or for others.
  struct Hold {
    std::string phase;  ///< for the application's status
    std::string why;
    Duration again{};  ///< when to look again
  };

  struct Options {
    Duration healthTimeout = minutes(10);
    /// What to do when the plan is empty: record the commit all the same, or leave no trace.
    WhenEmpty whenEmpty = WhenEmpty::record;
    /// Whether hooks run: they belong to a commit that is being synced, not to the healing of drift.
    enum class Hooks { skip, run } hooks = Hooks::skip;
    /// Objects that are not wanted as far as anyone can read, and yet must not be deleted.
    std::set<ObjectRef> keep{};
    PlanOptions::Prune prune = PlanOptions::Prune::yes;
    /// Only these can differ from what is applied: nothing else is planned. Nothing = everything is.
    std::optional<std::set<ObjectRef>> only{};
    /// What planning must know, asked for at each attempt; name and source are filled in here.
    std::function<PlanOptions()> planning{};
    /// Told of every plan that is made, before anything becomes of it.
    std::function<void(const Plan&)> seen{};
    /// Why a plan may not be carried out now; it is made anew when asked again.
    std::function<std::optional<Hold>(const Plan&, Time now)> hold{};
    /// The same for a plan whose deletions are left for later: asked with all of them, before anything is written.
    std::function<std::optional<Hold>(Plan, Time now)> holdWhole{};
  };

  /// wanted: the whole desired state; its health is watched.
  using Wanted = std::shared_ptr<const std::vector<WantedObject>>;
  Operation(Client& client, ApplyRecord record, Wanted wanted, Options options);

  /// Works; `live` is what is known of the cluster's objects. When to call again; nothing = woken
  /// by changes of `live`.
  std::optional<Time> step(Time now, const Snapshot& live);
  /// A wave or a hook is waited for, or the health of everything: nothing is being written.
  bool waiting() const;
  /// Looks at everything anew, because something changed while it waits: what was undone comes again in
  /// its order, and what is done is passed over.
  void startOver() {
    run_.reset();
    phase_ = Phase::planning;
  }
  /// Executes another plan (a healing) within this operation.
  void add(Plan plan);
  /// It may end because something newer came: in every wait, and between any two steps of the plan, but
  /// not while an object is deleted and not yet made anew.
  bool interruptible() const;
  /// Ends it because something newer came; only while it is interruptible.
  void supersede(Time now, const std::string& by);

  Phase phase() const { return phase_; }
  /// All but deletions is written.
  bool changesWritten() const { return secondHalf_ || phase_ == Phase::watching || phase_ == Phase::finished; }
  bool finished() const { return phase_ == Phase::finished; }
  /// The plan was empty and nobody wants to hear of it.
  bool dropped() const { return dropped_; }
  /// Something that is wanted was refused, be it at planning or at writing: it is to be planned again.
  bool refused() const { return refused_; }
  /// A hook failed, or a wave did not become healthy: the rest was not applied.
  const std::optional<ApplyRun::Stop>& stopped() const { return stopped_; }
  const ApplyRecord& record() const { return record_; }
  ApplyRecord& record() { return record_; }
  /// True once after the record changed enough to be kept safe.
  bool takeMilestone() { return std::exchange(milestone_, false); }
  /// Revisions that our own writes made: no drift.
  /// What it wrote, and the revision that came of it.
  const std::map<ObjectRef, std::uint64_t>& written() const { return expected_; }
  /// Hooks that went well and are removed then, with the marks of their runs.
  const std::map<ObjectRef, std::set<std::string>>& goneHooks() const { return goneHooks_; }
  const std::set<std::uint64_t>& ownRevisions() const { return ownRevisions_; }
  std::string waitingFor() const { return waitingFor_; }
  /// Objects that were written since it was last asked.
  std::vector<ObjectRef> takeWritten() { return std::exchange(written_, {}); }
  /// Whether it writes this object, be it done or not.
  bool writes(const ObjectRef& ref) const;
  const std::optional<Hold>& held() const { return held_; }

 private:
  std::optional<Time> plan(Time now);
  Result<Plan> planOnly(PlanOptions options);
  static bool mayChangeOwners(const Plan& plan);
  std::optional<Time> apply(Time now, const Snapshot& live);
  bool goesOn() const;
  void noteHooks();
  void noteStop(Time now);
  std::string quarantineText() const;
  std::optional<Time> watch(Time now, const Snapshot& live);
  ApplyRecord::ObjectRow* findRow(const std::string& object);
  ApplyRecord::ObjectRow& rowFor(const std::string& object);
  void count(PlanAction action);
  void noteRows();
  void noteLeftovers();
  void finish(Time now, ApplyRecord::Result result, std::string message);

  Client& client_;
  ApplyRecord record_;
  Wanted wanted_;
  Options options_;
  Phase phase_ = Phase::planning;
  bool dropped_ = false;
  bool milestone_ = false;
  bool refused_ = false;
  bool removalsOwed_ = false;   ///< they are planned again when the rest is applied
  bool secondHalf_ = false;     ///< what was owed is on its way
  std::int64_t untouched_ = 0;  ///< wanted objects that were not planned, since they cannot differ
  std::optional<ApplyRun::Stop> stopped_;
  int failures_ = 0;
  std::optional<ApplyRun> run_;
  std::map<ObjectRef, std::set<std::string>> goneHooks_;
  std::set<std::size_t> noted_;               ///< rows of run_ that the record has
  std::map<std::string, std::size_t> rowOf_;  ///< object → index into record_.objects
  std::optional<Time> watchUntil_;
  std::map<ObjectRef, std::uint64_t> expected_;  ///< revision that `live` must have reached
  std::map<ObjectRef, std::string> removed_;     ///< uid that must be gone
  std::set<std::uint64_t> ownRevisions_;
  std::string waitingFor_;
  std::vector<ObjectRef> written_;
  std::optional<Hold> held_;
};

}  // namespace steer
