#pragma once
// Plan: everything that would happen to the cluster, as one value. `steer plan`, `steer apply` and
// the reconciler print and execute the same value. Thread rule: a plain value.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/diagnostics.h"
#include "core/object.h"
#include "core/result.h"
#include "diff/object_diff.h"
#include "reconciler/plan/ownership_policy.h"
#include "schemas/sync_order.h"

namespace steer {

inline constexpr const char* kFieldManager = "steersman";
inline constexpr const char* kApplicationLabel = "steersman.dev/application";

/// One object as the source asks for it, already carrying the application's label.
struct WantedObject {
  ObjectRef ref;
  json::object body;
  SourcePos source;
};

/// Order of application; deletion goes the other way round.
enum class Wave { foundation, configuration, services, workloads, rest };
Wave waveOf(const Gvk& gvk);
const char* waveName(Wave wave);

enum class PlanAction { none, create, update, replace, remove };
const char* actionName(PlanAction action);

struct PlannedChange {
  PlanAction action = PlanAction::none;
  int syncWave = 0;  ///< steersman.dev/wave: comes before the order of kinds
  Wave wave = Wave::rest;
  ObjectRef ref;
  Gvk gvk;
  SourcePos source;                 ///< empty for a deletion
  std::vector<FieldChange> fields;  ///< update and replace; secrets masked
  std::string forcedBy;             ///< replace: the immutable field that forces it
  std::string vanishing{};          ///< replace: the object is being deleted already, and what that waits for
  bool adopts = false;              ///< the object exists and was not ours
  std::string movedFrom{};          ///< the application that owned it until now
  std::vector<std::string> taken;   ///< "spec.replicas from kubectl": fields taken from others
  std::vector<std::string> left{};  ///< "spec.replicas to autoscaler": fields not applied, since another holds them
  OwnershipPolicy::Conflicts conflicts = OwnershipPolicy::Conflicts::take;
  /// The account that it is written as may not read it: `live` is its identity alone, and no field is shown.
  bool hidden = false;
  std::string refusal;    ///< the server would refuse this; such a plan is not applied as a whole
  json::object wanted;    ///< what is applied
  ObjectPtr live;         ///< null for a creation, and where nothing changes may be null
  ObjectPtr predicted{};  ///< what it becomes; null for a deletion and a refusal
  /// Deletions that go first, since they hold what this needs (a port, an address): "Service shop/old".
  std::vector<std::string> after{};
  ObjectRef makesWayFor{};  ///< deletion: the change that needs what it holds, and comes after it; empty = none
  /// Deletion: a change whose pods wait for a port of the node that this one's have ("8080/TCP"). It goes before the
  /// wave of that change is waited for. Empty = none.
  ObjectRef freesFor{};
  std::string freed{};

  /// "Deployment shop/web".
  std::string text() const { return gvk.kind + " " + (ref.ns.empty() ? ref.name : ref.ns + "/" + ref.name); }
};

/// An object that runs at a phase of an application (reconciler/plan/hooks.h), most often a Job. It is no change.
struct PlannedHook {
  Hook when = Hook::none;
  int wave = 0;
  ObjectRef ref;
  SourcePos source;
  json::object wanted;  ///< as the source says, with the application's label
  ObjectPtr last;       ///< its last run; null: there is none
  HookEnd end{};
  bool repeated = false;  ///< it runs at other phases, too
  /// runMark of the runs that went well and of which nothing is left; null: nobody remembers such runs.
  std::shared_ptr<const std::set<std::string>> gone{};

  Gvk gvk() const { return Gvk::from(stringAt(wanted, {"apiVersion"}), stringAt(wanted, {"kind"})); }
  /// "Job shop/migrate".
  std::string text() const;
  /// It has not run yet as it is written now, as far as what is left of it tells.
  bool fresh() const;
};

struct PlanCounts {
  int create = 0;
  int update = 0;
  int replace = 0;
  int remove = 0;
  int none = 0;
  int refused = 0;
};

/// How much a plan may delete without a person's yes (delete_budget.h). A plan within either number is within it.
struct DeleteBudget {
  int percent = 20;  ///< of the inventory
  int count = 5;     ///< objects
};

struct Plan {
  std::string application = "root";
  std::string source;                   ///< what a person calls it: a directory, or a commit
  std::vector<PlannedChange> changes;   ///< by wave, then namespace, kind, name; deletions last
  std::vector<PlannedHook> hooks{};     ///< in the order in which they run
  std::vector<std::string> waitsFor{};  ///< applications that must be healthy before this one is applied
  DeleteBudget deleteBudget{};
  std::string commit{};  ///< that the source is; empty when it is none
  /// Digests of deletions that the commit's own trailers say yes to (delete_budget.h).
  std::vector<std::string> confirmedDeletions{};
  std::string account{};  ///< the user as whom it is written; empty = whoever applies it
  /// What left the source and stays, since it says so itself: "ConfigMap shop/a: steersman.dev/prune: never".
  std::vector<std::string> kept{};

  PlanCounts counts() const;
  bool empty() const;  ///< hooks do not count: they are no state
  /// Hooks run when anything changes, and when one of them has not run as it is written now.
  bool hooksDue() const;
  /// SHA-256 of what would be done: equal plans have equal digests. Values of Secrets are not in it, so
  /// that a digest in a review tells nobody anything; the commit stands for them.
  std::string digest() const;
};

struct PlanInput {
  std::string application = "root";
  std::string source;
  std::vector<WantedObject> wanted;
  /// Wanted objects that applying leaves as they are; nothing more need be known of them.
  std::set<ObjectRef> unchanged;
  /// Answers of the dry run, one per wanted object; those of unchanged ones are not looked at.
  std::vector<Result<ObjectPtr>> predicted;
  /// For those whose change is refused as immutable: what a new object would become.
  std::map<ObjectRef, Result<ObjectPtr>> renewed;
  std::map<ObjectRef, ObjectPtr> live;   ///< wanted objects that exist, without the unchanged ones
  std::map<ObjectRef, ObjectPtr> owned;  ///< the inventory
  std::set<ObjectRef> kept{};            ///< of the inventory: asked for elsewhere, or not spoken of; never deleted
  std::map<ObjectRef, std::vector<std::string>> left{};  ///< PlannedChange::left
  OwnershipPolicy::Conflicts conflicts = OwnershipPolicy::Conflicts::take;
  std::vector<PlannedHook> hooks{};  ///< in the order in which they run
  std::string account{};             ///< Plan::account
  std::set<ObjectRef> hidden{};      ///< PlannedChange::hidden
  /// Wanted objects that are not applied although nobody asked the server, and why.
  std::map<ObjectRef, std::string> refused{};
  /// A deletion, and a change that the server refuses unless it goes first.
  std::vector<std::pair<ObjectRef, ObjectRef>> makesWay{};
  /// The application itself goes: what its objects say of that counts, not what they say of pruning.
  enum class Ending : bool { no, yes } ending = Ending::no;
  std::map<ObjectRef, Error> undeletable{};  ///< answers of the dry run of deletions: those that are refused
};

/// What is to be deleted, in the order in which it is done.
std::vector<PlannedChange> removalsOf(const PlanInput& input);

/// Pure.
Plan buildPlan(PlanInput input);

/// True when the application applied this object: its label and an Apply entry of our manager.
bool ownedBy(const Object& object, std::string_view application);
/// The server's answer says that a field cannot change on an existing object; the field, or
/// nothing. An answer that names no field gives "spec".
std::optional<std::string> immutableField(const Error& error);

}  // namespace steer
