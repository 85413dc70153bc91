#pragma once
// ApplicationLoop: keeps a cluster as a repository says. Fetch → render → validate → plan → apply →
// watch health → report, and heals what others change. A newer commit cuts the waiting for an older
// one short. A source that cannot be read, or does not validate, changes nothing.
// Thread rule: as Loop. Slow work on the clone runs on the executor.
// Failure rule: nothing is lost by a crash: what is being applied is drafted in the clone first and
// reported exactly once.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/sync.h"
#include "reconciler/health/health.h"
#include "reconciler/loop/application_neighbours.h"
#include "reconciler/loop/application_requests.h"
#include "reconciler/loop/application_spec.h"
#include "reconciler/loop/application_status.h"
#include "reconciler/loop/declared_claims.h"
#include "reconciler/loop/drift_summary.h"
#include "reconciler/loop/drift_watch.h"
#include "reconciler/loop/kept_state.h"
#include "reconciler/loop/operation.h"
#include "reconciler/loop/source_keeper.h"
#include "reconciler/plan/delete_budget.h"

namespace steer {

struct ApplicationOptions {
  std::string name = "root";  ///< its label
  std::string ns = kSystemNamespace;
  std::string objectName = "root";
  SourceOptions source;
  std::shared_ptr<Repository> repository;  ///< stepped by its owner
  std::string formerClone{};               ///< as Repository::follow
  ApplicationSettings settings{};
  /// A renderer that remembers nothing, to compare two commits; null = they are compared by their trees alone.
  std::function<Renderer()> anotherRenderer{};
  /// What the applications ask for that a commit declares; null = it declares none.
  DeclaredClaimsReader declaredClaims{};
  /// Keeps the hooks of its deletion for when it is deleted; null = nobody does.
  std::function<void(const std::vector<WantedObject>&)> keepDeletionHooks{};
  ApplicationNeighbours* neighbours = nullptr;  ///< must outlive the loop; null = it is alone
  /// How often everything is planned anew although nothing was seen to change.
  Duration resync = minutes(5);
};

/// "configmaps shop/a: data.k changed by x, again and again …".
std::string fightText(const std::pair<const ObjectRef, std::string>& fight);

class ApplicationLoop final : public Loop {
 public:
  ApplicationLoop(ApplicationOptions options, Renderer renderer, Client& client, Executor& executor);
  std::string_view name() const override { return "application"; }
  Next step(Time now) override;

  /// Takes effect with the next step. Other sources need another loop.
  void configure(ApplicationSettings settings);
  /// What the object's annotations ask for.
  void observe(const Object& object);
  ApplicationStatus& status() { return status_; }
  /// Nothing is being fetched, applied, watched or reported.
  bool settled() const;
  /// Nothing is at work in the clone: another loop may take it over.
  bool quiet() const { return !keeper_.busy(); }
  /// Fetches at the next step.
  void lookSoon() { keeper_.lookSoon(); }

  /// The newest commit of the source, also while another one is pinned; empty before the first.
  const std::string& tip() const { return tip_; }
  /// The newest commit seen, or the pinned one; nothing before the first.
  const std::optional<SourceCommit>& commit() const { return commit_; }
  /// Empty when everything of the newest commit is applied and healthy; else why not.
  std::string whyNotReady() const;
  /// Its source is followed: not suspended, and readable.
  bool followsSource() const { return sourceProblem_.empty() && !options_.source.suspended; }
  const std::string& sourceProblem() const { return sourceProblem_; }
  const SourceOptions& source() const { return options_.source; }
  /// Applications that its newest commit declares, as far as it can be read.
  std::vector<ObjectRef> declares() const;
  /// All of the newest commit is written: what it declares is there, and nobody need wait for its health.
  bool carriedOut() const;
  bool suspended() const { return settings_.suspend; }
  /// The rights of its account may have changed: what it may is looked at with the next step.
  void askRights() { rightsDue_ = true; }
  /// What others ask for, too. True when that is news.
  bool setContested(ContestedObjects contested, Time now);
  /// Its source was read: what it asks for is known.
  bool claimsKnown() const { return !judged_.empty(); }
  /// Another number whenever addClaims() may answer something else; of two loops never the same.
  std::uint64_t claimsVersion() const { return claimsVersion_; }
  /// What it asks for, also in a commit that is not applied yet.
  void addClaims(std::set<ObjectRef>& claims) const;
  /// Of these those that its account may apply: nobody keeps what is not theirs to keep from being deleted.
  void addRightfulClaims(std::set<ObjectRef>& claims) const;

 private:
  void tryBegin(Time now);
  void judgeAgain();
  bool sameJudgement(const SourceCommit& commit, const Rendered& rendered, Time now);
  std::string whyWaiting(Time now);
  void noteOutcome(const ApplyRecord& record, Time now);
  void noteDropped();
  PlanOptions planning() const;
  void noteContested(const Plan& plan);
  std::string contestText() const;
  std::optional<Operation::Hold> whyHeld(const Plan& plan, Time now);
  std::optional<Operation::Hold> whyHeldWhole(Plan plan, Time now);
  std::optional<Operation::Hold> weighDeletions(const Plan& plan, const DeleteVerdict& verdict, Time now);
  std::optional<DeclaredClaims> declaredClaims();
  TrailerSays trailerOf(const Plan& plan, const DeleteVerdict& verdict) const;
  std::optional<std::string> approvalOf(const Plan& plan, const DeleteVerdict& verdict) const;
  json::object applicationReference() const;
  void emitEvent(json::object involved, const std::string& ns, const std::string& type, const std::string& reason,
                 const std::string& message, Time now);
  struct Mending;
  void learnKept(const std::string& applied);
  void takeKept();
  void watchKept();
  void noteWritten(Operation& operation);
  bool keepsOld() const;
  bool isKept(const ObjectRef& ref) const;
  std::vector<WantedObject> keptObjects(const std::vector<DriftWatch::Suspect>& suspects) const;
  void mend(std::vector<DriftWatch::Suspect> suspects, Time now);
  void stepMending(Time now);
  std::vector<std::string> noteHealings(const Plan& plan, const std::vector<DriftWatch::Suspect>& suspects, Time now);
  void noteRun(ApplyRecord record, Time now);
  void tellRun(ApplyRecord record, Time now);
  void tellDrift(Time now, DriftSummary::Take what);
  void noteCounts(const ApplyRecord& record);
  std::vector<WantedObject>& ownWanted();
  void healWith(Plan plan, const std::vector<DriftWatch::Suspect>& suspects, Time now);
  void reportDrift(Time now);
  void showDrift();
  void lookAtRights(Time now);
  std::optional<Time> glassOf(const Object& live, const ObjectRef& ref, Time now);
  void lookForGlass(Time now);
  void showGlass();
  void releaseGlass(Time now);
  void holdGlass(std::vector<DriftWatch::Suspect>& suspects, Time now);
  void stepRollback(Time now);
  void lookNow();
  void noteLook(const SourceUpdate& update);
  void startRollback(const std::string& id, std::string to, const std::string& by, Time now);
  void onReverted(const Result<RevertOutcome>& outcome, Time now);
  void showRollback(const std::string& state, const std::string& message);
  void notePin(const SourceUpdate& update, Time now);
  bool rollBackAutomatically(const ApplyRecord& record, Time now);
  void onUpdate(SourceUpdate update, Time now);
  void onRendered(const FetchOutcome& fetched, Rendered rendered, Time now);
  void takeWanted(Rendered& rendered);
  void resumeDraft(Time now);
  void begin(const std::string& trigger, Operation::WhenEmpty whenEmpty, Time now);
  void stepOperation(Time now);
  bool mayHeal() const;
  void showFights(Time now);
  void noteRanOnce();
  void noteHookRuns(const ObjectRef& ref);
  void heal(Time now);
  void noteDrift(const DriftWatch::Suspect& suspect, Time now);
  void report(ApplyRecord record, Time now);
  void onPublished(const Result<PublishOutcome>& outcome, Time now);
  void showHealth(Time now);
  ApplyRecord freshRecord(const std::string& trigger, Time now) const;
  void want(std::optional<Time> at);

  ApplicationOptions options_;
  ApplicationSettings settings_;
  Client& client_;
  SourceKeeper keeper_;
  DriftWatch drift_;
  ApplicationStatus status_;
  std::optional<SourceCommit> commit_;  ///< newest one seen
  /// Of the newest one that may be applied, without quarantined ones; an operation under way shares it.
  std::shared_ptr<std::vector<WantedObject>> wanted_ = std::make_shared<std::vector<WantedObject>>();
  std::map<ObjectRef, Health> unwell_;  ///< of the wanted objects
  bool assessAnew_ = true;              ///< which they are is not known yet
  Time troubleDue_{};                   ///< when what is told of their pods is looked at again
  /// What commits changed since everything was last applied whole; nothing = plan everything.
  std::optional<std::set<ObjectRef>> unplanned_;
  bool wantsHooks_ = false;
  std::set<ObjectRef> quarantined_;    ///< of the same: left as they live
  std::vector<std::string> findings_;  ///< of the same
  PlanOptions::Prune prune_ = PlanOptions::Prune::yes;
  bool haveWanted_ = false;
  std::string wantedCommit_;
  bool recordsKnown_ = false;
  std::optional<ApplyRecord> newestSync_;  ///< of the records that were there at the start, healings left out
  std::optional<ApplyRecord> resumed_;
  std::unique_ptr<Operation> operation_;
  std::vector<std::pair<ApplyRecord, bool>> reports_;  ///< to publish, oldest first; bool: in flight
  Time reportDue_{};
  int reportFailures_ = 0;
  std::optional<Time> resyncDue_;
  std::optional<Time> operationDue_;
  std::string sourceProblem_;
  std::optional<Time> next_;
  bool pending_ = false;  ///< a new valid commit waits to be applied
  std::string pendingTrigger_;
  /// How far the wanted commit came. open: its run, with its hooks, was not completed yet; blocked: a
  /// hook failed, so nothing of it may be applied any more.
  enum class Sync { open, done, blocked } sync_ = Sync::open;
  static Sync syncOf(const ApplyRecord& record);
  void noteSync(const ApplyRecord& record);
  /// What became of the wanted commit's post-sync hook when it failed: all is applied, and yet not well.
  std::string failedHook_;
  std::set<ObjectRef> claims_;  ///< of the newest commit, as far as it can be read
  std::uint64_t claimsVersion_ = nextClaimsVersion();
  static std::uint64_t nextClaimsVersion();
  ContestedObjects contested_;
  ContestedObjects plannedContests_;   ///< as the newest plan knew them
  std::set<ObjectRef> withoutRights_;  ///< claims that its account may not apply
  std::set<ObjectRef> leftToOthers_;   ///< of these: what another one keeps
  int attempts_ = 0;                   ///< further ones for the wanted commit
  std::optional<Time> retryDue_;
  ApplicationRequests requests_;
  bool observed_ = false;
  std::set<std::string> approvedDeletions_;  ///< of the wanted commit
  /// What the applications that the wanted commit declares ask for; null = not asked for yet.
  std::shared_ptr<steer::Sync<std::optional<DeclaredClaims>>> prospect_;
  struct DriftEntry {
    std::string how;
    std::string since;
  };
  std::map<std::string, DriftEntry> drifted_;  ///< found and only reported
  std::optional<Time> driftDue_;
  struct Glass {
    std::string object;
    std::string kind;
    std::string how;
    Time until{};
  };
  std::map<ObjectRef, Glass> glass_;           ///< objects that are left alone for a while
  std::map<ObjectRef, std::string> badGlass_;  ///< annotations complained of
  DriftSummary healed_;                        ///< not told yet
  KeptState kept_;
  std::shared_ptr<steer::Sync<std::optional<Rendered>>> keptRead_;  ///< set while it is being read what is applied
  std::string keptReadCommit_;
  std::shared_ptr<Mending> mending_;
  std::optional<Time> mendDue_;     ///< an attempt failed: not before
  std::set<std::uint64_t> mended_;  ///< revisions that mending wrote
  std::string tip_;
  std::string reconcileSeen_;  ///< the newest request that was taken up
  bool lookAsked_ = false;
  int looksBefore_ = 0;  ///< updates that were on their way when it was asked
  RevertRequest rollback_;
  std::string rollbackSeen_;    ///< id of the newest request that was taken up
  std::string rollbackCommit_;  ///< what it made
  std::optional<Time> rollbackDue_;
  int rollbackAttempts_ = 0;
  unsigned events_ = 0;
  std::string judged_;            ///< commit that was rendered last, with what was found in it
  bool judgedAnew_ = false;       ///< it is being rendered again
  bool waited_ = false;           ///< the pending commit had to wait
  std::optional<Time> judgeDue_;  ///< when findings are looked at again
  int judgements_ = 0;            ///< of the same commit
  bool rightsDue_ = true;         ///< what the account may is to be looked at
  std::string rightsProblem_;     ///< what it may not do any more; empty = nothing is known to be missing
  RanOnce ranOnce_;
  std::map<ObjectRef, std::string> fights_;  ///< told of
  bool replan_ = false;                      ///< the settings changed: look at everything again
};

}  // namespace steer
