#include "reconciler/loop/repository.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/barrier.h"
#include "core/log.h"
#include "core/rfc3339.h"
#include "core/sync.h"
#include "reconciler/git/clone_packing.h"
#include "reconciler/report/status_page.h"

namespace steer {
namespace {

constexpr std::string_view kPlace = "a job in a clone";
constexpr Duration kPatience = seconds(2);  ///< of somebody who asks for a look at once
constexpr Duration kPackPause = seconds(10);
constexpr Duration kPackTime = minutes(60);  ///< of a clone with very many objects
constexpr Duration kGrace = seconds(10);     ///< after a transfer's own limit, before a hang is reported

/// 1, 2, 4 … times `first`, at most `most`.
Duration backOff(Duration first, int failures, Duration most) {
  return std::min<Duration>(first * (1 << std::clamp(failures, 0, 10)), most);
}

/// A remote without write access is asked again now and then, at most every ten minutes.
Duration pushPause(int failures) { return backOff(seconds(30), failures, minutes(10)); }

std::string textOf(const SourceNews& news) { return news.error ? "!" + news.error->message : news.fetched->commit.id; }

/// What a follower that was not told of the news before must know of them, too.
void merge(const SourceNews& before, SourceNews& news) {
  if (!before.fetched || !news.fetched) return;
  news.fetched->rewritten = news.fetched->rewritten || before.fetched->rewritten;
  news.fetched->recloned = news.fetched->recloned || before.fetched->recloned;
  news.fetched->before = before.fetched->before;
}

/// A commit that was read already, as a poll that finds nothing new would tell it.
FetchOutcome again(const SourceCommit& commit) { return {commit, commit.id, false, false}; }

}  // namespace

/// What one poll is to do.
struct Repository::Errand {
  GitSource source;
  std::vector<RevisionChoice> choices{};
  struct Single {
    Follower follower;
    std::string application;
    RevisionChoice choice;
    std::string formerClone{};
  };
  std::vector<Single> former{};     ///< clones to be taken over first
  std::vector<Single> suspended{};  ///< who stays at what was read last
  std::vector<std::string> released{};
  bool anew = false;

  Polled run();
  SourceNews newsOf(const RevisionChoice& choice, const Result<FetchOutcome>& outcome) const;
};

struct Repository::Polled {
  std::optional<Error> error{};  ///< of the conversation
  std::map<RevisionChoice, SourceNews> news{};
  std::map<Follower, SourceNews> held{};
  bool unpushed = false;
};

/// What jobs work on; outlives the repository while one runs.
struct Repository::Shared {
  std::optional<GitSource> source;
  std::optional<Error> unusable;  ///< the address itself is wrong
  std::shared_ptr<Interrupt> interrupt = std::make_shared<Interrupt>();
  Waker waker;

  struct Results {
    bool busy = false;
    std::optional<Polled> polled;
    std::optional<Result<PublishOutcome>> published;
    std::optional<Result<PublishOutcome>> repeated;  ///< of records that had stayed local
    std::optional<std::pair<Follower, Result<RevertOutcome>>> reverted;
    std::optional<Fault> fault;  ///< of the job, in place of what it was to bring
  };
  Sync<Results> results;
};

SourceNews Repository::Errand::newsOf(const RevisionChoice& choice, const Result<FetchOutcome>& outcome) const {
  SourceNews out;
  if (outcome.ok()) {
    out.fetched = *outcome;
  } else {
    out.error = outcome.error();
    // After a restart without its remote the cluster is still kept as it was last read.
    out.last = source.lastGood(choice);
  }
  return out;
}

Repository::Polled Repository::Errand::run() {
  Polled out;
  for (const auto& one : former) (void)source.takeOver(one.formerClone, one.application, one.choice);
  for (const auto& name : released) source.release(name);
  for (const auto& one : suspended) {
    auto commit = source.hold(one.application, one.choice);
    SourceNews news;
    if (commit.ok()) news.fetched = again(*commit);
    else news.error = git::kindError(Errc::unavailable, "Suspended", "the source is suspended and was never read");
    out.held.emplace(one.follower, std::move(news));
  }
  if (!choices.empty()) {
    const auto made = anew ? source.reclone(choices) : Result<void>{};
    auto all = made.ok() ? source.fetch(choices) : made.error();
    if (!all.ok()) out.error = all.error();
    for (std::size_t i = 0; i < choices.size(); ++i) {
      auto& news = out.news[choices[i]] = newsOf(choices[i], all.ok() ? (*all)[i] : all.error());
      if (news.fetched && anew) news.fetched->recloned = true;
    }
  }
  out.unpushed = StatusLedger(source.cloneDir(), source.access()).unpushed();
  return out;
}

Repository::Repository(const SourceOptions& source, std::string dir, Executor& executor, TransferExecutor& transfers,
                       Waker waker)
    : dir_(std::move(dir)), shared_(std::make_shared<Shared>()), executor_(executor), transfers_(transfers) {
  auto opened = GitSource::open(source, dir_);
  if (opened.ok()) shared_->source = std::move(*opened);
  else shared_->unusable = opened.error();
  shared_->waker = std::move(waker);
}

Repository::~Repository() { shared_->interrupt->raise(); }

std::string Repository::shownUrl() const {
  return shared_->source ? shared_->source->access().url().url : "(not usable)";
}

std::optional<StatusLedger> Repository::ledger() const {
  if (!shared_->source) return std::nullopt;
  return StatusLedger(dir_, shared_->source->access());
}

Repository::Follower Repository::follow(SourceOptions source, const std::string& application, std::string formerClone,
                                        Waker waker) {
  std::error_code ec;
  if (!std::filesystem::exists(formerClone, ec)) formerClone.clear();
  if (shared_->source) {
    if (shared_->interrupt->raised()) shared_->interrupt = std::make_shared<Interrupt>();
    // The same access, as the key of sharing says; only where its files lie may have changed.
    auto longest = source.timeout;
    for (const auto& [id, other] : followers_) longest = std::max(longest, other.source.timeout);
    shared_->source = shared_->source->reachedWith(source.credentials, longest, shared_->interrupt);
  }
  followers_.emplace(++lastFollower_, State{std::move(source), application, std::move(formerClone), std::move(waker)});
  asked_ = true;
  return lastFollower_;
}

void Repository::leave(Follower follower) {
  followers_.erase(follower);
  asked_ = true;
  // Nobody waits for it any more.
  if (followers_.empty() && records_.empty() && publishing_.empty() && reverts_.empty()) shared_->interrupt->raise();
}

bool Repository::busy() const {
  return !records_.empty() || !reverts_.empty() ||
         shared_->results.with([](const Shared::Results& r) { return r.busy; });
}

void Repository::ask(Follower follower) { followers_.at(follower).asks = true; }

void Repository::lookSoon(Follower follower) {
  auto& state = followers_.at(follower);
  state.asks = asked_ = true;
  pollDue_.reset();
}

void Repository::lookNow(Follower follower) {
  lookSoon(follower);
  now_ = true;
  const bool polls = work_ == Work::poll && shared_->results.with([](const Shared::Results& r) { return r.busy; });
  if (!polls || !shared_->source || !steppedAt_ || *steppedAt_ < *jobStarted_ + kPatience) return;
  shared_->interrupt->raise();
  renewInterrupt();
}

/// A raised one ends all that is done with it for good.
void Repository::renewInterrupt() {
  shared_->interrupt = std::make_shared<Interrupt>();
  const auto& access = shared_->source->access();
  shared_->source = shared_->source->reachedWith(access.credentials(), access.timeout(), shared_->interrupt);
}

std::optional<SourceNews> Repository::takeNews(Follower follower) {
  return std::exchange(followers_.at(follower).news, std::nullopt);
}

bool Repository::hasNews(Follower follower) const { return followers_.at(follower).news.has_value(); }

void Repository::tellAlways(Follower follower, bool always) { followers_.at(follower).always = always; }

void Repository::makeAnew() {
  anew_ = asked_ = true;
  pollDue_.reset();
  for (auto& [id, follower] : followers_) follower.asks = true;
}

void Repository::publish(Follower follower, LedgerRecord record) {
  records_.emplace_back(follower, std::move(record));
  followers_.at(follower).publishing = asked_ = true;
}

bool Repository::publishing(Follower follower) const {
  const auto& state = followers_.at(follower);
  return state.publishing || state.published;
}

std::optional<Result<PublishOutcome>> Repository::takePublished(Follower follower) {
  return std::exchange(followers_.at(follower).published, std::nullopt);
}

bool Repository::takePushedLater(Follower follower) {
  return std::exchange(followers_.at(follower).pushedLater, false);
}

void Repository::revert(Follower follower, RevertRequest request) {
  reverts_.emplace_back(follower, std::move(request));
  followers_.at(follower).reverting = asked_ = true;
}

std::optional<Result<RevertOutcome>> Repository::takeReverted(Follower follower) {
  return std::exchange(followers_.at(follower).reverted, std::nullopt);
}

bool Repository::worksFor(Follower follower) const {
  const auto& state = followers_.at(follower);
  return state.publishing || state.reverting;
}

std::vector<RevisionChoice> Repository::choices() const {
  std::set<RevisionChoice> out;
  for (const auto& [id, follower] : followers_)
    if (!follower.source.suspended) out.insert(follower.source.choice());
  return {out.begin(), out.end()};
}

Duration Repository::interval() const {
  std::optional<Duration> shortest;
  for (const auto& [id, follower] : followers_)
    if (!follower.source.suspended)
      shortest = std::min(shortest.value_or(follower.source.interval), follower.source.interval);
  return shortest.value_or(seconds(15));
}

template <class Job>
void Repository::start(Time now, Work work, Job job) {
  jobStarted_ = now;
  work_ = work;
  longest_ = work == Work::pack ? kPackTime : shared_->source ? shared_->source->access().longest() + kGrace : kGrace;
  hangReported_ = false;
  shared_->results.lock()->busy = true;
  auto run = [shared = shared_, job = std::move(job)]() mutable {
    auto fault = barrier::run(kPlace, [&] {
      auto store = job();
      shared->results.with([&](Shared::Results& r) { store(r); });
    });
    shared->results.with([&](Shared::Results& r) {
      r.fault = std::move(fault);
      r.busy = false;
    });
    shared->waker();
  };
  // What is on this machine waits for no remote.
  if (work == Work::pack || !shared_->source || shared_->source->isLocal()) return executor_.submit(std::move(run));
  transfers_.submit({shared_->source->access().url().host, standing_}, std::move(run));
}

Repository::Errand Repository::errand() {
  Errand out{*shared_->source};
  out.choices = choices();
  out.anew = std::exchange(anew_, false);
  for (auto& [id, follower] : followers_) {
    Errand::Single single{id, follower.application, follower.source.choice(), follower.formerClone};
    if (!follower.formerClone.empty()) out.former.push_back(single);
    follower.formerClone.clear();
    if (!follower.source.suspended && follower.fresh) out.released.push_back(follower.application);
    if (follower.source.suspended && follower.asks) out.suspended.push_back(std::move(single));
    follower.fresh = follower.waits = false;
  }
  return out;
}

void Repository::startPoll(Time now) {
  justPolled_ = true;
  now_ = false;
  pollDue_ = now + interval();
  if (shared_->unusable) {
    Polled polled;
    polled.error = shared_->unusable;
    for (auto& [id, follower] : followers_) polled.held[id].error = polled.error;
    return takePolled(std::move(polled), now);
  }
  start(now, Work::poll, [errand = errand()]() mutable {
    return [polled = errand.run()](Shared::Results& r) mutable { r.polled.emplace(std::move(polled)); };
  });
}

void Repository::startPublish(Time now) {
  std::vector<LedgerRecord> records;
  for (auto& [follower, record] : records_) {
    publishing_.push_back(follower);
    records.push_back(std::move(record));
  }
  records_.clear();
  start(now, Work::publish, [ledger = *ledger(), records = std::move(records), now]() mutable {
    return [out = ledger.publish(records, statusPage, now)](Shared::Results& r) mutable {
      r.published.emplace(std::move(out));
    };
  });
}

void Repository::startPushAgain(Time now) {
  start(now, Work::pushAgain, [ledger = *ledger(), now]() mutable {
    return
        [out = ledger.pushAgain(statusPage, now)](Shared::Results& r) mutable { r.repeated.emplace(std::move(out)); };
  });
}

void Repository::startRevert(Time now) {
  auto [follower, request] = std::move(reverts_.front());
  reverts_.pop_front();
  reverting_ = follower;
  start(now, Work::revert, [source = *shared_->source, follower = follower, request = std::move(request), now] {
    return [follower, out = pushRevert(source.cloneDir(), source.access(), request, now)](Shared::Results& r) mutable {
      r.reverted.emplace(follower, std::move(out));
    };
  });
}

/// A clone grows with every commit and every record; what was written one by one is packed now and then.
void Repository::startPacking(Time now) {
  packDue_ = now + kPackPause;
  start(now, Work::pack, [dir = dir_, url = shownUrl()]() mutable {
    auto done = git::wantsPacking(dir) ? git::packClone(dir) : Result<void>{};
    return [done = std::move(done), url](Shared::Results&) {
      if (!done.ok()) log::warn("a clone cannot be packed", {{"repository", url}, {"reason", done.error().message}});
    };
  });
}

void Repository::tell(State& follower, const SourceNews& news) {
  const auto text = textOf(news);
  const bool same = text == follower.told && !(news.fetched && news.fetched->recloned);
  if (same && !follower.asks && !follower.always) return;
  SourceNews whole = news;
  if (follower.news) merge(*follower.news, whole);
  follower.news = std::move(whole);
  follower.told = text;
  follower.asks = follower.waits = false;
  follower.waker();
}

void Repository::takePolled(Polled polled, Time now) {
  if (now_ && polled.error && polled.error->code == Errc::cancelled) {  // it gave way to the look that was asked for
    pollDue_.reset();
    return;
  }
  const bool nothing = polled.error || (!polled.news.empty() &&
                                        std::all_of(polled.news.begin(), polled.news.end(),
                                                    [](const auto& entry) { return entry.second.error.has_value(); }));
  failures_ = nothing ? failures_ + 1 : 0;
  standing_ = nothing ? Standing::failing : Standing::proven;
  // What the server asks for goes before our own patience.
  const int asksFor = polled.error ? polled.error->retryAfterSeconds : 0;
  const Time next =
      now +
      (nothing ? std::max<Duration>(backOff(seconds(1), failures_ - 1, minutes(5)), seconds(asksFor)) : interval());
  // Somebody may have asked while the poll was under way.
  if (!now_ && (pollDue_ || nothing)) pollDue_ = next;
  const auto withNextTry = [&](SourceNews& news) {
    if (news.error) news.error->message += "; next try at " + formatTime(next);
  };
  for (auto& [id, news] : polled.held) withNextTry(news);
  for (auto& [choice, news] : polled.news) {
    withNextTry(news);
    if (news.fetched) known_.insert_or_assign(choice, Known{news.fetched->commit, now});
    else known_.erase(choice);
  }
  for (auto& [id, follower] : followers_) {
    if (const auto held = polled.held.find(id); held != polled.held.end()) tell(follower, held->second);
    else if (const auto news = polled.news.find(follower.source.choice());
             !follower.source.suspended && news != polled.news.end())
      tell(follower, news->second);
  }
  // What was pushed is known as such only after the next look at the remote's refs, so that later on this says little.
  if (std::exchange(firstPoll_, false) && polled.unpushed && !pushDue_ && records_.empty()) {
    keptBefore_ = true;
    pushDue_ = now + pushPause(pushFailures_);
  }
}

/// What somebody who comes later follows may just have been read for others.
void Repository::tellWaiting(Time now) {
  for (auto& [id, follower] : followers_) {
    if (!follower.waits) continue;
    const auto known = known_.find(follower.source.choice());
    const bool read = known != known_.end() && now - known->second.at < follower.source.interval &&
                      follower.formerClone.empty() && !follower.source.suspended;
    if (!read) {
      pollDue_.reset();
      continue;
    }
    SourceNews news;
    news.fetched = again(known->second.commit);
    tell(follower, news);
  }
}

void Repository::takePublishedRecords(Time now) {
  auto [published, repeated] = shared_->results.with([](Shared::Results& r) {
    return std::pair(std::exchange(r.published, std::nullopt), std::exchange(r.repeated, std::nullopt));
  });
  if (published) {
    const bool kept = published->ok() && !(*published)->whyLocal.empty();
    if (kept) {
      pushDue_ = now + pushPause(pushFailures_ = 0);
      (*published)->whyLocal += "; next try at " + formatTime(*pushDue_);
    } else if (published->ok()) {
      repeated = *published;  // with these records went all that had stayed
    }
    for (const auto id : std::exchange(publishing_, {})) {
      const auto it = followers_.find(id);
      if (it == followers_.end()) continue;
      it->second.publishing = false;
      it->second.keptLocal = kept;
      it->second.published.emplace(*published);
      it->second.waker();
    }
  }
  if (!repeated) return;
  if (!repeated->ok() || !(*repeated)->whyLocal.empty()) {
    pushDue_ = now + pushPause(++pushFailures_);
    return;
  }
  pushFailures_ = 0;
  pushDue_.reset();
  for (auto& [id, follower] : followers_) {
    if (!std::exchange(follower.keptLocal, false) && !keptBefore_) continue;
    follower.pushedLater = true;
    follower.waker();
  }
  keptBefore_ = false;
}

void Repository::noteHang(Time now) {
  if (hangReported_ || now <= *jobStarted_ + longest_) return;
  hangReported_ = true;
  SourceNews hang;
  hang.error = git::kindError(Errc::timeout, "Timeout", shownUrl() + " does not answer");
  for (auto& [id, follower] : followers_) tell(follower, hang);
}

void Repository::lookAtLocal(Time now) {
  if (now < lookDue_) return;
  Duration soonest = seconds(15);
  for (const auto& [id, follower] : followers_) soonest = std::min(soonest, follower.source.localInterval);
  lookDue_ = now + soonest;
  auto print = shared_->source->fingerprint(choices());
  if (print == fingerprint_) return;
  fingerprint_ = std::move(print);
  pollDue_ = now;
}

/// A job that a fault of ours ended is an attempt that failed: it is told, and tried again as one is.
void Repository::takeFault(Time now) {
  auto fault = shared_->results.with([](Shared::Results& r) { return std::exchange(r.fault, std::nullopt); });
  if (!fault) return;
  const Error error = git::kindError(Errc::internal, "Fault", barrier::faultText(kPlace, *fault));
  if (work_ == Work::poll) {
    Polled polled;
    polled.error = error;
    for (const auto& [id, follower] : followers_) polled.held[id].error = error;
    return takePolled(std::move(polled), now);
  }
  shared_->results.with([&](Shared::Results& r) {
    if (work_ == Work::publish) r.published.emplace(error);
    else if (work_ == Work::pushAgain) r.repeated.emplace(error);
    else if (work_ == Work::revert) r.reverted.emplace(reverting_, Result<RevertOutcome>(error));
  });
}

std::optional<Time> Repository::step(Time now) {
  const bool asked = std::exchange(asked_, false);
  steppedAt_ = now;
  takeFault(now);
  auto [running, polled, reverted] = shared_->results.with([](Shared::Results& r) {
    return std::tuple(r.busy, std::exchange(r.polled, std::nullopt), std::exchange(r.reverted, std::nullopt));
  });
  if (polled) takePolled(std::move(*polled), now);
  takePublishedRecords(now);
  if (reverted)
    if (const auto it = followers_.find(reverted->first); it != followers_.end()) {
      it->second.reverting = false;
      it->second.reverted.emplace(std::move(reverted->second));
      it->second.waker();
    }
  if (asked) tellWaiting(now);
  if (running) {
    noteHang(now);
    return *jobStarted_ + longest_ + milliseconds(1);
  }
  const bool local = shared_->source && shared_->source->isLocal() && !followers_.empty();
  if (local) lookAtLocal(now);
  const bool pollDue = !followers_.empty() && (!pollDue_ || now >= *pollDue_);
  const bool writes = shared_->source && !(records_.empty() && reverts_.empty());
  // What was pushed goes first, but not for ever.
  if (pollDue && !(justPolled_ && writes)) {
    startPoll(now);
    return now + milliseconds(1);  // an inline executor has finished already; else the waker comes
  }
  justPolled_ = false;
  if (writes && !reverts_.empty()) startRevert(now);
  else if (writes) startPublish(now);
  else if (pushDue_ && now >= *pushDue_ && shared_->source) startPushAgain(now);
  else if (followers_.empty()) return std::nullopt;
  else if (shared_->source && pollDue_ && now >= packDue_) startPacking(now);
  else return std::min({local ? lookDue_ : *pollDue_, *pollDue_, pushDue_.value_or(*pollDue_)});
  return now + milliseconds(1);
}

}  // namespace steer
