#pragma once
// Repository: one repository with its bare clone, as all applications that follow it share it. One poll brings what
// every one of them follows; one job at a time works in the clone; records of several applications are published
// together. Who followed something is told when it changed, when it cannot be read, and when it asked.
// Thread rule: one owner, who also owns the followers; jobs run on the executor and hold what they need.
// Failure rule: a fetch that failed is news with its error, for each follower; what was read before stays valid.
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/executor.h"
#include "core/loop.h"
#include "reconciler/git/git_source.h"
#include "reconciler/git/revert_commit.h"
#include "reconciler/git/status_ledger.h"
#include "reconciler/loop/transfer_lanes.h"

namespace steer {

/// What a poll said of what one application follows.
struct SourceNews {
  std::optional<Error> error{};
  std::optional<FetchOutcome> fetched{};
  std::optional<SourceCommit> last{};  ///< with an error: what was read before it
};

class Repository {
 public:
  using Follower = std::uint64_t;

  /// dir: of the clone. source: its address and how it is reached; each follower says what it follows.
  Repository(const SourceOptions& source, std::string dir, Executor& executor, TransferExecutor& transfers,
             Waker waker);
  /// Ends a transfer that runs.
  ~Repository();
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  /// application: its label. formerClone: a clone of its own, as older versions made one; taken over when it is there.
  Follower follow(SourceOptions source, const std::string& application, std::string formerClone, Waker waker);
  void leave(Follower follower);

  /// Starts what is due; when to call again.
  std::optional<Time> step(Time now);
  /// Something was asked for since the last step.
  bool asked() const { return asked_; }
  bool followed() const { return !followers_.empty(); }
  /// A job is at work in the clone, or waits for it.
  bool busy() const;

  /// Tells the follower about the next poll, also when nothing changed.
  void ask(Follower follower);
  /// The same, and polls at the next step.
  void lookSoon(Follower follower);
  /// The same, and ends a poll that does not get on.
  void lookNow(Follower follower);
  std::optional<SourceNews> takeNews(Follower follower);
  bool hasNews(Follower follower) const;
  /// Tells the follower of each poll, whatever it found.
  void tellAlways(Follower follower, bool always);
  /// The clone is damaged: the next poll makes it anew.
  void makeAnew();

  /// One at a time for each follower; queued until the clone is free.
  void publish(Follower follower, LedgerRecord record);
  bool publishing(Follower follower) const;
  std::optional<Result<PublishOutcome>> takePublished(Follower follower);
  /// True once after records that had stayed local were pushed at last.
  bool takePushedLater(Follower follower);
  void revert(Follower follower, RevertRequest request);
  std::optional<Result<RevertOutcome>> takeReverted(Follower follower);
  /// A job of this follower runs or waits.
  bool worksFor(Follower follower) const;

  const std::string& cloneDir() const { return dir_; }
  /// Short local reads and writes in the clone; nothing when the address cannot be used.
  std::optional<StatusLedger> ledger() const;
  /// The repository as people may see it, without credentials.
  std::string shownUrl() const;

 private:
  struct State {
    SourceOptions source;
    std::string application;
    std::string formerClone;
    Waker waker;
    std::string told{};   ///< commit or error that it knows
    bool always = false;  ///< hears of each poll
    bool asks = true;     ///< wants to hear of the next poll in any case
    bool waits = true;    ///< for its first news, and no poll is under way that brings them
    bool fresh = true;    ///< no poll began since it came
    std::optional<SourceNews> news{};
    bool publishing = false;
    bool keptLocal = false;
    bool pushedLater = false;
    std::optional<Result<PublishOutcome>> published{};
    bool reverting = false;
    std::optional<Result<RevertOutcome>> reverted{};
  };
  struct Errand;
  struct Polled;
  struct Shared;
  struct Known {
    SourceCommit commit;
    Time at{};
  };

  enum class Work { poll, publish, pushAgain, revert, pack };
  template <class Job>
  void start(Time now, Work work, Job job);
  void takeFault(Time now);
  void renewInterrupt();
  void startPoll(Time now);
  void startPublish(Time now);
  void startPushAgain(Time now);
  void startRevert(Time now);
  void startPacking(Time now);
  void takePolled(Polled polled, Time now);
  void takePublishedRecords(Time now);
  void tell(State& follower, const SourceNews& news);
  void tellWaiting(Time now);
  void noteHang(Time now);
  void lookAtLocal(Time now);
  Errand errand();
  std::vector<RevisionChoice> choices() const;
  Duration interval() const;

  std::string dir_;
  std::shared_ptr<Shared> shared_;
  Executor& executor_;
  TransferExecutor& transfers_;
  std::map<Follower, State> followers_;
  std::map<RevisionChoice, Known> known_;  ///< what the last good polls found
  Follower lastFollower_ = 0;
  std::deque<std::pair<Follower, LedgerRecord>> records_;
  std::vector<Follower> publishing_;  ///< whose records the job at work publishes
  std::deque<std::pair<Follower, RevertRequest>> reverts_;
  bool asked_ = true;
  bool anew_ = false;
  bool now_ = false;  ///< somebody asked for a look at once, and no poll began since
  std::optional<Time> steppedAt_;
  bool justPolled_ = false;
  bool firstPoll_ = true;
  std::optional<Time> pollDue_;  ///< nothing = at once
  std::optional<Time> jobStarted_;
  Work work_ = Work::poll;  ///< what the job at work does
  Follower reverting_ = 0;  ///< for whom
  Duration longest_{};      ///< that the job at work may take
  bool hangReported_ = false;
  int failures_ = 0;
  Standing standing_ = Standing::fresh;
  Time lookDue_{};
  std::string fingerprint_;
  std::optional<Time> pushDue_;  ///< records stay local: when to try again
  int pushFailures_ = 0;
  Time packDue_{};           ///< when to look whether the clone is to be packed
  bool keptBefore_ = false;  ///< records stayed local in an earlier run of this program
};

}  // namespace steer
