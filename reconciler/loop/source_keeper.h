#pragma once
// SourceKeeper: everything that touches the clone, one job at a time, on an executor: fetching,
// rendering, publishing records. The loop asks for work and takes results; nothing blocks it.
// Thread rule: one owner; jobs run elsewhere and hold what they need.
// Failure rule: a failed fetch is a result with its error; what was read before stays valid.
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/executor.h"
#include "core/loop.h"
#include "reconciler/git/git_source.h"
#include "reconciler/git/revert_commit.h"
#include "reconciler/git/status_ledger.h"
#include "reconciler/loop/application_requests.h"
#include "reconciler/plan/plan.h"
#include "render/tree_reader.h"

namespace steer {

/// What differs from the tree that was rendered before, where both are without any finding.
struct RenderedDelta {
  std::vector<WantedObject> changed;  ///< new ones, and those whose file changed
  std::vector<ObjectRef> removed;
};

/// The desired state of one tree: objects, and every finding of rendering and validation.
struct Rendered {
  std::vector<WantedObject> objects;  ///< those that may be applied; none when there is a delta
  Diagnostics findings;
  /// In quarantine: known by name, but wrong. They are left as they live.
  std::set<ObjectRef> quarantined{};
  /// Although there are findings, every object is known by name: what is not wanted may be deleted.
  bool complete = false;
  /// Why nothing of it may be applied; empty when something may.
  std::string refusal{};
  /// Set instead of objects; whoever takes renderings takes all of them, in order.
  std::optional<RenderedDelta> delta{};
};
/// tree: the id of the source's directory.
using Renderer = std::function<Rendered(TreeReader& reader, const std::string& tree)>;

struct Renderers {
  Renderer one;                       ///< takes every commit, in order
  std::function<Renderer()> another;  ///< a fresh one, to compare two commits; null = trees are compared
};

struct SourceUpdate {
  std::optional<Error> error{};  ///< the fetch failed; the rest may still be the last good state
  std::optional<FetchOutcome> fetched{};
  std::optional<Rendered> rendered{};  ///< only when the commit is another one than before
  std::string tip{};                   ///< commit of the source itself, when another one is pinned
  bool pinned = false;                 ///< what was fetched is the pinned commit, not the tip
  bool pinOver = false;  ///< there is a pin, and the source asks for other objects than the commit that it replaces
  std::vector<std::string> records{};  ///< at the first update: the newest records of the ledger
};

class SourceKeeper {
 public:
  SourceKeeper(SourceOptions options, std::string dir, Renderers renderers, Executor& executor, Waker waker);
  /// Ends a transfer that runs.
  ~SourceKeeper();
  SourceKeeper(const SourceKeeper&) = delete;
  SourceKeeper& operator=(const SourceKeeper&) = delete;

  /// Starts what is due; when to call again.
  std::optional<Time> step(Time now);
  std::optional<SourceUpdate> takeUpdate();
  /// Queued until the clone is free.
  void publish(LedgerRecord record, Time now);
  std::optional<Result<PublishOutcome>> takePublished();
  bool publishing() const;
  /// True once after records that had stayed local were pushed at last.
  bool takePushedLater() { return std::exchange(pushedLater_, false); }
  /// From the next fetch on, this commit stands for the one that it replaces.
  void setPin(std::optional<CommitPin> pin);
  /// Queued until the clone is free.
  void revert(RevertRequest request) { queuedRevert_ = std::move(request); }
  std::optional<Result<RevertOutcome>> takeReverted();
  /// Queued until the clone is free: reads what is in it, on the executor; the waker is called afterwards. One that
  /// was queued before and has not begun is forgotten.
  void lookInto(std::function<void(const std::string& cloneDir)> look) { queuedLook_ = std::move(look); }
  /// A job is at work in the clone.
  bool busy() const;
  /// Asks for a fetch at the next step.
  void lookSoon() { fetchDue_.reset(); }
  /// Fetches at the next step and renders the commit although it is no other one: what a source is judged by
  /// (namespaces) may have changed.
  void renderAgain();

  /// Short local writes to the clone.
  void saveDraft(const std::string& name, const std::string& text);
  std::optional<std::string> loadDraft(const std::string& name) const;
  void dropDraft(const std::string& name);

  const SourceOptions& options() const { return options_; }
  /// The repository as people may see it, without credentials.
  std::string shownUrl() const;

 private:
  struct Shared;
  void startFetch(Time now);
  void startPublish(Time now);
  void startPushAgain(Time now);
  void takeFetched(SourceUpdate update, Time now);
  void takeRepeated(Time now);
  void startRevert(Time now);
  void startLook(Time now);

  SourceOptions options_;
  std::shared_ptr<Shared> shared_;
  Executor& executor_;
  std::optional<LedgerRecord> queued_;
  std::optional<RevertRequest> queuedRevert_;
  std::function<void(const std::string& cloneDir)> queuedLook_{};
  std::optional<Time> fetchDue_;
  std::optional<Time> jobStarted_;
  bool hangReported_ = false;
  Time lookDue_{};
  std::string fingerprint_;
  int failures_ = 0;
  std::optional<Time> pushDue_;  ///< records stay local: when to try again
  int pushFailures_ = 0;
  bool pushedLater_ = false;
  std::optional<SourceUpdate> ready_;
};

}  // namespace steer
