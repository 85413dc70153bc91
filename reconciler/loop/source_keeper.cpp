#include "reconciler/loop/source_keeper.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/barrier.h"
#include "core/sync.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/git_tree_reader.h"

namespace steer {
namespace {

constexpr std::string_view kReading = "the reading of a commit";
constexpr std::size_t kHistory = 200;  ///< of all applications that share the repository

}  // namespace

/// What jobs work on; outlives the keeper while a job runs.
struct SourceKeeper::Shared {
  std::string cloneDir;
  std::string path;  ///< of the source's directory
  std::optional<StatusLedger> ledger;
  Renderer renderer;
  std::function<Renderer()> anotherRenderer;
  std::map<std::pair<std::string, std::string>, bool> sameObjects;  ///< of two trees; of the pin at work
  std::optional<CommitPin> keptPin;  ///< whose commits have refs, so that they stay although the remote drops them
  Waker waker;
  std::string renderedCommit;
  bool recordsRead = false;

  struct Results {
    bool busy = false;
    std::optional<SourceUpdate> update;
    bool damaged = false;  ///< the clone, as that update found it
    std::optional<CommitPin> pin;
    bool renderAgain = false;
  };
  Sync<Results> results;

  /// Renders the commit unless it was the last one rendered.
  Result<void> render(const SourceCommit& commit, SourceUpdate& update) {
    if (commit.id == renderedCommit) return {};
    STEER_TRY(const auto reader, GitTreeReader::open(cloneDir));
    STEER_TRY(const auto tree, reader->subtree(commit.tree, path));
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
    const auto reader = GitTreeReader::open(cloneDir);
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
    const auto shown = treeAt(cloneDir, tip, path);
    const auto bad = treeAt(cloneDir, pin->insteadOf, path);
    auto good = findCommit(cloneDir, pin->commit);
    if (!shown.ok() || !bad.ok() || !good.ok() || !asksTheSame(*shown, *bad)) {
      update.pinOver = true;
      return;
    }
    if (keptPin != pin) {
      for (const auto& commit : {good->id, pin->insteadOf}) (void)keepCommit(cloneDir, commit);
      keptPin = pin;
    }
    update.tip = tip;
    update.pinned = true;
    update.fetched->commit = std::move(*good);
  }

  /// What became of the news; true when the clone turned out to be damaged.
  bool take(SourceNews news, SourceUpdate& update) {
    bool damaged = false;
    if (results.with([](Results& r) { return std::exchange(r.renderAgain, false); })) renderedCommit.clear();
    update.error = std::move(news.error);
    update.fetched = std::move(news.fetched);
    if (update.fetched && update.fetched->recloned) renderedCommit.clear();
    // After a restart without its remote the cluster is still kept as it was last read.
    if (news.last && renderedCommit.empty()) update.fetched = FetchOutcome{std::move(*news.last), "", false, false};
    applyPin(update);
    if (update.fetched)
      if (auto rendered = render(update.fetched->commit, update); !rendered.ok()) {
        update.error = rendered.error();
        update.fetched.reset();
        damaged = rendered.error().code == Errc::io;
      }
    if (!recordsRead && ledger)
      if (auto records = ledger->newest(kHistory); records.ok()) {
        update.records = std::move(*records);
        recordsRead = true;
      }
    return damaged;
  }
};

SourceKeeper::SourceKeeper(SourceOptions options, std::shared_ptr<Repository> repository,
                           const std::string& application, std::string formerClone, Renderers renderers,
                           Executor& executor, Waker waker)
    : options_(std::move(options)),
      repository_(std::move(repository)),
      me_(repository_->follow(options_, application, std::move(formerClone), waker)),
      shared_(std::make_shared<Shared>()),
      executor_(executor) {
  shared_->cloneDir = repository_->cloneDir();
  shared_->path = options_.path;
  shared_->ledger = repository_->ledger();
  shared_->renderer = std::move(renderers.one);
  shared_->anotherRenderer = std::move(renderers.another);
  shared_->waker = std::move(waker);
}

SourceKeeper::~SourceKeeper() { repository_->leave(me_); }

bool SourceKeeper::busy() const {
  return repository_->worksFor(me_) || shared_->results.with([](const Shared::Results& r) { return r.busy; });
}

void SourceKeeper::lookSoon() {
  const bool rendering = shared_->results.with([](const Shared::Results& r) { return r.busy; });
  if (rendering || repository_->hasNews(me_)) repository_->ask(me_);
  else repository_->lookSoon(me_);
}

int SourceKeeper::lookNow() {
  const bool rendering = shared_->results.with([](const Shared::Results& r) { return r.busy || r.update; });
  repository_->lookNow(me_);
  return (rendering || ready_ ? 1 : 0) + (repository_->hasNews(me_) ? 1 : 0);
}

void SourceKeeper::renderAgain() {
  shared_->results.lock()->renderAgain = true;
  if (newest_) again_ = true;
  else lookSoon();
}

void SourceKeeper::setPin(std::optional<CommitPin> pin) {
  // Whether it still holds is judged at each fetch.
  repository_->tellAlways(me_, pin.has_value());
  shared_->results.lock()->pin = std::move(pin);
}

std::optional<Time> SourceKeeper::step(Time now) {
  auto [busy, update, damaged] = shared_->results.with([](Shared::Results& r) {
    return std::tuple(r.busy, std::exchange(r.update, std::nullopt), std::exchange(r.damaged, false));
  });
  if (update) {
    if (damaged) repository_->makeAnew();
    else if (update->error) repository_->ask(me_);
    ready_ = std::move(update);
  }
  if (busy || ready_) return std::nullopt;
  auto news = repository_->takeNews(me_);
  if (!news && again_) {
    news.emplace();
    news->fetched = newest_;
    news->fetched->before = newest_->commit.id;
    news->fetched->rewritten = news->fetched->recloned = false;
  }
  if (!news && queuedLooks_.empty()) return std::nullopt;
  if (news) startRender(std::move(*news));
  else startLook();
  return now + milliseconds(1);  // an inline executor has finished already; else the waker comes
}

void SourceKeeper::startRender(SourceNews news) {
  again_ = false;
  newest_ = news.fetched;
  shared_->results.lock()->busy = true;
  executor_.submit([shared = shared_, news = std::move(news)] {
    SourceUpdate taken;
    bool broken = false;
    if (const auto fault = barrier::run(kReading, [&] { broken = shared->take(news, taken); })) {
      taken = SourceUpdate();
      taken.error = git::kindError(Errc::internal, "Fault", barrier::faultText(kReading, *fault));
    }
    shared->results.with([&](Shared::Results& r) {
      r.update = std::move(taken);
      r.damaged = broken;
      r.busy = false;
    });
    shared->waker();
  });
}

void SourceKeeper::startLook() {
  shared_->results.lock()->busy = true;
  auto next = std::move(queuedLooks_.front());
  queuedLooks_.pop_front();
  executor_.submit([shared = shared_, look = std::move(next)] {
    (void)barrier::run("a look into a clone", [&] { look(shared->cloneDir); });
    shared->results.lock()->busy = false;
    shared->waker();
  });
}

void SourceKeeper::saveDraft(const std::string& name, const std::string& text) {
  if (shared_->ledger) (void)shared_->ledger->saveDraft(name, text);
}

std::optional<std::string> SourceKeeper::loadDraft(const std::string& name) const {
  return shared_->ledger ? shared_->ledger->loadDraft(name) : std::nullopt;
}

void SourceKeeper::dropDraft(const std::string& name) {
  if (shared_->ledger) (void)shared_->ledger->dropDraft(name);
}

}  // namespace steer
