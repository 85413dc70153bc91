#pragma once
// SourceKeeper: what one application has of its repository: it renders what the repository brings, on an executor,
// and hands its records and reverts to it. The loop asks for work and takes results; nothing blocks it.
// Thread rule: one owner; jobs run elsewhere and hold what they need.
// Failure rule: a failed fetch is a result with its error; what was read before stays valid.
#include <deque>
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
#include "reconciler/loop/application_requests.h"
#include "reconciler/loop/repository.h"
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
  /// application: its label. formerClone: as Repository::follow.
  SourceKeeper(SourceOptions options, std::shared_ptr<Repository> repository, const std::string& application,
               std::string formerClone, Renderers renderers, Executor& executor, Waker waker);
  ~SourceKeeper();
  SourceKeeper(const SourceKeeper&) = delete;
  SourceKeeper& operator=(const SourceKeeper&) = delete;

  /// Starts what is due; when to call again. Its repository is stepped by whoever owns it.
  std::optional<Time> step(Time now);
  std::optional<SourceUpdate> takeUpdate() { return std::exchange(ready_, std::nullopt); }
  /// Queued until the clone is free.
  void publish(LedgerRecord record) { repository_->publish(me_, std::move(record)); }
  std::optional<Result<PublishOutcome>> takePublished() { return repository_->takePublished(me_); }
  bool publishing() const { return repository_->publishing(me_); }
  /// True once after records that had stayed local were pushed at last.
  bool takePushedLater() { return repository_->takePushedLater(me_); }
  /// From the next fetch on, this commit stands for the one that it replaces.
  void setPin(std::optional<CommitPin> pin);
  /// Queued until the clone is free.
  void revert(RevertRequest request) { repository_->revert(me_, std::move(request)); }
  std::optional<Result<RevertOutcome>> takeReverted() { return repository_->takeReverted(me_); }
  /// Queued until a rendering that runs is done: reads what is in the clone, on the executor; the waker is called
  /// afterwards.
  void lookInto(std::function<void(const std::string& cloneDir)> look) { queuedLooks_.push_back(std::move(look)); }
  /// A job of this application is at work.
  bool busy() const;
  /// Asks for a fetch at the next step, unless something newer is on its way already.
  void lookSoon();
  /// The same, whatever is on its way, and without waiting for what failed or hangs: how many updates come before its
  /// own.
  int lookNow();
  /// Renders the commit at the next step although it is no other one: what a source is judged by (namespaces) may have
  /// changed.
  void renderAgain();

  /// Short local writes to the clone.
  void saveDraft(const std::string& name, const std::string& text);
  std::optional<std::string> loadDraft(const std::string& name) const;
  void dropDraft(const std::string& name);

  const SourceOptions& options() const { return options_; }
  /// The repository as people may see it, without credentials.
  std::string shownUrl() const { return repository_->shownUrl(); }

 private:
  struct Shared;
  void startRender(SourceNews news);
  void startLook();

  SourceOptions options_;
  std::shared_ptr<Repository> repository_;
  Repository::Follower me_;
  std::shared_ptr<Shared> shared_;
  Executor& executor_;
  std::deque<std::function<void(const std::string& cloneDir)>> queuedLooks_{};
  bool again_ = false;                  ///< what was fetched last is to be rendered anew
  std::optional<FetchOutcome> newest_;  ///< that was fetched; nothing while the repository cannot be read
  std::optional<SourceUpdate> ready_;
};

}  // namespace steer
