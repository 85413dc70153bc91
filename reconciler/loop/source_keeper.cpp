#include "reconciler/loop/source_keeper.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/rfc3339.h"
#include "core/sync.h"
#include "reconciler/git/git_tree_reader.h"
#include "reconciler/report/status_page.h"

namespace steer {
namespace {

constexpr std::size_t kHistory = 200;     ///< of all applications that share the repository
constexpr Duration kGrace = seconds(10);  ///< after a transfer's own limit, before a hang is reported

/// 1, 2, 4 … times `first`, at most `most`.
Duration backOff(Duration first, int failures, Duration most) {
  return std::min<Duration>(first * (1 << std::clamp(failures, 0, 10)), most);
}

/// A remote without write access is asked again now and then, at most every ten minutes.
Duration pushPause(int failures) { return backOff(seconds(30), failures, minutes(10)); }

}  // namespace

/// What jobs work on; outlives the keeper while a job runs.
struct SourceKeeper::Shared {
  std::optional<GitSource> source;  ///< used by one job at a time
  std::optional<Error> unusable;    ///< the address itself is wrong
  Renderer renderer;
  std::function<Renderer()> anotherRenderer;
  std::map<std::pair<std::string, std::string>, bool> sameObjects;  ///< of two trees; of the pin at work
  Waker waker;
  std::string renderedCommit;
  bool recordsRead = false;

  struct Results {
    bool busy = false;
    bool publishing = false;
    std::optional<SourceUpdate> update;
    std::optional<Result<PublishOutcome>> published;
    std::optional<Result<PublishOutcome>> repeated;  ///< of records that had stayed local
    bool keptLocal = false;                          ///< some records are in the clone only
    std::optional<Result<RevertOutcome>> reverted;
    std::optional<CommitPin> pin;
    bool renderAgain = false;
  };
  Sync<Results> results;

  StatusLedger ledger() const { return {source->cloneDir(), source->access()}; }

  /// Renders the commit unless it was the last one rendered.
  Result<void> render(const SourceCommit& commit, SourceUpdate& update) {
    if (commit.id == renderedCommit) return {};
    STEER_TRY(const auto reader, GitTreeReader::open(source->cloneDir()));
    STEER_TRY(const auto tree, reader->subtree(commit.tree, source->options().path));
    update.rendered = renderer(*reader, tree);
    renderedCommit = commit.id;
    return {};
  }

  /// Whether two trees ask for the same objects. A tree of which nothing may be applied asks for nothing else yet.
  bool asksTheSame(const std::string& shown, const std::string& bad) {
    if (shown == bad) return true;
    if (shown.empty() || bad.empty() || !anotherRenderer) return false;
    const auto known = sameObjects.find({shown, bad});
    if (known != sameObjects.end()) return known->second;
    const auto reader = GitTreeReader::open(source->cloneDir());
    if (!reader.ok()) return false;
    const auto before = anotherRenderer()(**reader, bad);
    const auto now = anotherRenderer()(**reader, shown);
    const auto bodies = [](const Rendered& rendered) {
      std::map<ObjectRef, const json::object*> out;
      for (const auto& w : rendered.objects) out[w.ref] = &w.body;
      return out;
    };
    const auto a = bodies(before), b = bodies(now);
    const bool same =
        !now.refusal.empty() || (before.quarantined == now.quarantined &&
                                 std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
                                   return x.first == y.first && *x.second == *y.second;
                                 }));
    sameObjects = {{{shown, bad}, same}};
    return same;
  }

  /// Puts the pinned commit in the place of the one that it replaces, as long as the source asks for the objects
  /// that it asked for there: a word in a comment, or a file of another kind, is no agreement.
  void applyPin(SourceUpdate& update) {
    const auto pin = results.with([](const Results& r) { return r.pin; });
    if (!pin || !update.fetched) return;
    const auto& tip = update.fetched->commit.id;
    const auto& path = source->options().path;
    const auto shown = treeAt(source->cloneDir(), tip, path);
    const auto bad = treeAt(source->cloneDir(), pin->insteadOf, path);
    auto good = findCommit(source->cloneDir(), pin->commit);
    if (!shown.ok() || !bad.ok() || !good.ok() || !asksTheSame(*shown, *bad)) {
      update.pinOver = true;
      return;
    }
    update.tip = tip;
    update.pinned = true;
    update.fetched->commit = std::move(*good);
  }

  Result<FetchOutcome> lastRead() {
    if (auto last = source->lastGood()) return FetchOutcome{std::move(*last), "", false, false};
    return git::kindError(Errc::unavailable, "Suspended", "the source is suspended and was never read");
  }

  SourceUpdate fetch() {
    SourceUpdate update;
    if (unusable) {
      update.error = unusable;
      return update;
    }
    if (results.with([](Results& r) { return std::exchange(r.renderAgain, false); })) renderedCommit.clear();
    auto fetched = source->options().suspended ? lastRead() : source->fetch();
    if (fetched.ok()) {
      if (fetched->recloned) renderedCommit.clear();
      update.fetched = std::move(*fetched);
    } else {
      update.error = fetched.error();
      // After a restart without its remote the cluster is still kept as it was last read.
      if (auto last = source->lastGood(); last && renderedCommit.empty())
        update.fetched = FetchOutcome{std::move(*last), "", false, false};
    }
    applyPin(update);
    if (update.fetched)
      if (auto rendered = render(update.fetched->commit, update); !rendered.ok()) {
        update.error = rendered.error();
        update.fetched.reset();
        if (rendered.error().code == Errc::io) (void)source->reclone();
      }
    if (!recordsRead)
      if (auto records = ledger().newest(kHistory); records.ok()) {
        update.records = std::move(*records);
        recordsRead = true;
        if (ledger().unpushed()) results.lock()->keptLocal = true;
      }
    return update;
  }
};

SourceKeeper::SourceKeeper(SourceOptions options, std::string dir, Renderers renderers, Executor& executor, Waker waker)
    : options_(std::move(options)), shared_(std::make_shared<Shared>()), executor_(executor) {
  if (!options_.interrupt) options_.interrupt = std::make_shared<Interrupt>();
  auto source = GitSource::open(options_, std::move(dir));
  if (source.ok()) shared_->source = std::move(*source);
  else shared_->unusable = source.error();
  shared_->renderer = std::move(renderers.one);
  shared_->anotherRenderer = std::move(renderers.another);
  shared_->waker = std::move(waker);
}

SourceKeeper::~SourceKeeper() { options_.interrupt->raise(); }

std::string SourceKeeper::shownUrl() const {
  return shared_->source ? shared_->source->access().url().url : "(not usable)";
}

void SourceKeeper::startFetch(Time now) {
  jobStarted_ = now;
  hangReported_ = false;
  shared_->results.lock()->busy = true;
  executor_.submit([shared = shared_] {
    SourceUpdate update = shared->fetch();
    shared->results.with([&](Shared::Results& r) {
      r.update = std::move(update);
      r.busy = false;
    });
    shared->waker();
  });
}

void SourceKeeper::startPublish(Time now) {
  jobStarted_ = now;
  hangReported_ = false;
  LedgerRecord record = std::move(*queued_);
  queued_.reset();
  shared_->results.with([](Shared::Results& r) { r.busy = r.publishing = true; });
  executor_.submit([shared = shared_, record = std::move(record), now] {
    auto out = shared->ledger().publish(record, statusPage, now);
    const bool kept = out.ok() && !out->whyLocal.empty();
    if (kept) out->whyLocal += "; next try at " + formatTime(now + pushPause(0));
    shared->results.with([&](Shared::Results& r) {
      r.keptLocal = kept;
      r.published.emplace(std::move(out));
      r.busy = r.publishing = false;
    });
    shared->waker();
  });
}

void SourceKeeper::startPushAgain(Time now) {
  jobStarted_ = now;
  hangReported_ = false;
  shared_->results.lock()->busy = true;
  executor_.submit([shared = shared_, now] {
    auto out = shared->ledger().pushAgain(statusPage, now);
    shared->results.with([&](Shared::Results& r) {
      r.keptLocal = !out.ok() || !out->whyLocal.empty();
      r.repeated.emplace(std::move(out));
      r.busy = false;
    });
    shared->waker();
  });
}

void SourceKeeper::startRevert(Time now) {
  jobStarted_ = now;
  hangReported_ = false;
  shared_->results.lock()->busy = true;
  executor_.submit([shared = shared_, request = std::move(*queuedRevert_), now] {
    auto out = pushRevert(shared->source->cloneDir(), shared->source->access(), request, now);
    shared->results.with([&](Shared::Results& r) {
      r.reverted.emplace(std::move(out));
      r.busy = false;
    });
    shared->waker();
  });
  queuedRevert_.reset();
}

void SourceKeeper::startLook(Time now) {
  jobStarted_ = now;
  hangReported_ = false;
  shared_->results.lock()->busy = true;
  executor_.submit([shared = shared_, look = std::exchange(queuedLook_, {})] {
    look(shared->source->cloneDir());
    shared->results.lock()->busy = false;
    shared->waker();
  });
}

void SourceKeeper::takeFetched(SourceUpdate update, Time now) {
  failures_ = update.error ? failures_ + 1 : 0;
  Duration pause = options_.interval;
  if (update.error) {
    // What the server asks for goes before our own patience.
    pause =
        std::max<Duration>(backOff(seconds(1), failures_ - 1, minutes(5)), seconds(update.error->retryAfterSeconds));
    update.error->message += "; next try at " + formatTime(now + pause);
  }
  fetchDue_ = now + pause;
  ready_ = std::move(update);
}

void SourceKeeper::takeRepeated(Time now) {
  const auto [repeated, kept] = shared_->results.with(
      [](Shared::Results& r) { return std::pair(std::exchange(r.repeated, std::nullopt), r.keptLocal); });
  if (repeated) {
    pushedLater_ = pushedLater_ || !kept;
    pushFailures_ = kept ? pushFailures_ + 1 : 0;
    pushDue_.reset();
  }
  if (!kept) pushDue_.reset();
  else if (!pushDue_) pushDue_ = now + pushPause(pushFailures_);
}

void SourceKeeper::renderAgain() {
  shared_->results.lock()->renderAgain = true;
  lookSoon();
}

void SourceKeeper::setPin(std::optional<CommitPin> pin) { shared_->results.lock()->pin = std::move(pin); }

std::optional<Result<RevertOutcome>> SourceKeeper::takeReverted() {
  return shared_->results.with([](Shared::Results& r) { return std::exchange(r.reverted, std::nullopt); });
}

std::optional<Time> SourceKeeper::step(Time now) {
  const auto taken =
      shared_->results.with([](Shared::Results& r) { return std::pair(r.busy, std::exchange(r.update, {})); });
  if (taken.second) takeFetched(std::move(*taken.second), now);
  takeRepeated(now);
  const Duration longest = options_.timeout * 10 + kGrace;
  if (taken.first) {
    if (jobStarted_ && !hangReported_ && now > *jobStarted_ + longest) {
      hangReported_ = true;
      SourceUpdate hang;
      hang.error = git::kindError(Errc::timeout, "Timeout", shownUrl() + " does not answer");
      ready_ = std::move(hang);
    }
    return *jobStarted_ + longest + milliseconds(1);
  }
  const bool local = shared_->source && shared_->source->isLocal();
  if (local && now >= lookDue_) {
    lookDue_ = now + options_.localInterval;
    if (auto print = shared_->source->fingerprint(); print != fingerprint_) {
      fingerprint_ = std::move(print);
      fetchDue_ = now;
    }
  }
  if (queuedRevert_ && shared_->source) startRevert(now);
  else if (queuedLook_ && shared_->source) startLook(now);
  else if (queued_ && shared_->source) startPublish(now);
  else if (!fetchDue_ || now >= *fetchDue_) startFetch(now);
  else if (pushDue_ && now >= *pushDue_ && shared_->source) startPushAgain(now);
  else return std::min({local ? lookDue_ : *fetchDue_, *fetchDue_, pushDue_.value_or(*fetchDue_)});
  return now + milliseconds(1);  // an inline executor has finished already; else the waker comes
}

std::optional<SourceUpdate> SourceKeeper::takeUpdate() { return std::exchange(ready_, std::nullopt); }

void SourceKeeper::publish(LedgerRecord record, Time) { queued_ = std::move(record); }

bool SourceKeeper::publishing() const {
  return queued_.has_value() ||
         shared_->results.with([](const Shared::Results& r) { return r.publishing || r.published.has_value(); });
}

bool SourceKeeper::busy() const {
  return shared_->results.with([](const Shared::Results& r) { return r.busy; });
}

std::optional<Result<PublishOutcome>> SourceKeeper::takePublished() {
  return shared_->results.with([](Shared::Results& r) {
    auto out = std::move(r.published);
    r.published.reset();
    return out;
  });
}

void SourceKeeper::saveDraft(const std::string& name, const std::string& text) {
  if (shared_->source) (void)shared_->ledger().saveDraft(name, text);
}

std::optional<std::string> SourceKeeper::loadDraft(const std::string& name) const {
  return shared_->source ? shared_->ledger().loadDraft(name) : std::nullopt;
}

void SourceKeeper::dropDraft(const std::string& name) {
  if (shared_->source) (void)shared_->ledger().dropDraft(name);
}

}  // namespace steer
