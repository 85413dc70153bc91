#include "cluster/store/log_store.h"

#include <algorithm>

#include "cluster/store/record_check.h"
#include "cluster/store/record_codec.h"
#include "core/barrier.h"
#include "core/log.h"
#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::size_t kMaxObjectBytes = 1'500'000;
constexpr std::size_t kMaxGroupBytes = 16 * 1024 * 1024;
constexpr std::string_view kWriter = "the store's writer";
constexpr std::string_view kNews = "the news of the store";
constexpr std::size_t kRemovalBytes = 512;  ///< a removal's share of the event window

std::string keyOf(const ObjectRef& ref) {
  std::string key;
  key.reserve(ref.resource.size() + ref.ns.size() + ref.name.size() + 2);
  key += ref.resource;
  key += '\x1f';
  key += ref.ns;
  key += '/';
  key += ref.name;
  return key;
}

std::string quoted(const ObjectRef& ref) { return toUtf8(ref.resource + " \"" + ref.name + "\""); }

}  // namespace

struct LogStore::Change {
  Mutation mutation;
  std::string key;
  std::string text;  ///< put only
  ObjectPtr before;  ///< null = new
  ObjectPtr after;   ///< a removal's is made when its group is published
  std::uint64_t revision = 0;
};

struct LogStore::Transaction {
  enum State : int { waiting, leader, done };
  std::vector<Change> changes;
  std::size_t bytes = 0;
  std::atomic<int> state{waiting};
  std::optional<Error> failure{};
};

struct LogStore::Checked {
  ObjectPtr current;
  std::optional<Error> error{};
  bool onPending = false;
};

namespace {

/// What the log says is there, and what of it stands under a name that no reader takes.
struct LoadedState {
  Snapshot snapshot;
  std::vector<LogRecord> misnamed;
};

/// No record keeps a store from opening: what an older version wrote is repaired, what holds no object is left out,
/// and the log says so.
Result<LoadedState> loadState(LogBackend& log, const StoreOptions& options) {
  LoadedState out;
  STEER_TRY(const std::uint64_t last, log.loadState([&](LogRecord record) {
    const std::string who = toUtf8(record.target.text());
    auto read = readRecord(record);
    if (!read.ok())
      return log::error("an object is left out: its record in the state cannot be read",
                        {{"object", who}, {"revision", std::to_string(record.revision)}});
    if (read->repaired)
      log::warn("an object is repaired: its record in the state is not as this version writes it",
                {{"object", who}, {"revision", std::to_string(record.revision)}});
    const auto& object = *read->object;
    const bool misnamed = object.name() != record.target.name || object.ns() != record.target.ns;
    out.snapshot.put(record.target.resource, std::move(read->object));
    if (misnamed) out.misnamed.push_back(std::move(record));
  }));
  // Numbers that were given out are not given again: what somebody saw at one of them was something else.
  if (const auto known = log.acknowledged(); known > last) {
    if (options.lostEnd == StoreOptions::LostEnd::refuse)
      return makeError(Errc::io, "the end of the state is lost: it reaches revision " + std::to_string(last) +
                                     ", and " + std::to_string(known) +
                                     " was acknowledged; it was damaged, or an older one was put in its place: restore "
                                     "the data directory from a backup, or start once with --accept-loss to go on "
                                     "with what is left");
    log::error("the end of the state is lost, and it goes on with what is left",
               {{"reaches", std::to_string(last)}, {"acknowledged", std::to_string(known)}});
    out.snapshot.setRevision(known);
    return out;
  }
  out.snapshot.setRevision(last);
  return out;
}

/// Moves objects from under a name that is no text to the one that they are read as. Nothing is lost when it fails:
/// the next opening reads the same.
void renameRecords(LogBackend& log, LoadedState& state) {
  std::vector<LogRecord> records;
  std::uint64_t next = state.snapshot.revision();
  for (auto& old : state.misnamed) {
    auto read = readRecord(old);
    if (!read.ok()) continue;
    LogRecord removal{++next, true, old.target, "", old.revision};
    json::object body = read->object->json();
    ObjectRef target{old.target.resource, read->object->ns(), read->object->name()};
    std::string text = recordText(body);
    LogRecord renamed{++next, false, target, std::move(text), 0};
    state.snapshot.put(target.resource, atRevision(*read->object, next));
    records.push_back(std::move(removal));
    records.push_back(std::move(renamed));
  }
  if (records.empty()) return;
  if (auto written = log.append(records); written.ok()) state.snapshot.setRevision(next);
  else log::warn("objects under unreadable names cannot be renamed", {{"error", written.error().message}});
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(std::unique_ptr<LogBackend> log, StoreOptions options) {
  STEER_TRY(auto state, loadState(*log, options));
  renameRecords(*log, state);
  STEER_TRY(const std::uint64_t compacted, log->compactedRevision());
  return std::unique_ptr<Store>(std::make_unique<LogStore>(std::shared_ptr<LogBackend>(std::move(log)), options,
                                                           std::move(state.snapshot), compacted));
}

std::unique_ptr<Store> Store::fork(const Snapshot& snapshot) {
  StoreOptions options;
  options.inlineCommit = true;
  options.retainRevisions = 0;
  // There is no log to read again from: who is a little slow would have to list everything anew.
  options.eventWindow = 1'000'000;
  options.eventWindowBytes = std::size_t{512} << 20;
  return std::make_unique<LogStore>(nullptr, options, snapshot, snapshot.revision());
}

LogStore::LogStore(std::shared_ptr<LogBackend> log, StoreOptions options, Snapshot state, std::uint64_t compacted)
    : log_(std::move(log)),
      options_(options),
      hub_(std::make_shared<WatchHub>(log_, WatchHub::Limits{options.eventWindow, options.eventWindowBytes},
                                      state.revision(), compacted)),
      durable_(std::move(state)),
      nextRevision_(durable_.revision() + 1) {
  if (log_ && !options_.inlineCommit)
    maintenance_ = std::thread([this] { barrier::keepRunning("the store's housekeeping", [this] { maintain(); }); });
}

LogStore::~LogStore() {
  {
    std::lock_guard lock(maintenanceMutex_);
    stopping_ = true;
    maintenanceCv_.notify_all();
  }
  if (maintenance_.joinable()) maintenance_.join();
}

Snapshot LogStore::snapshot() const {
  std::lock_guard lock(mutex_);
  return durable_;
}

std::uint64_t LogStore::revision() const {
  std::lock_guard lock(mutex_);
  return durable_.revision();
}

Result<void> LogStore::prepare(Transaction& transaction, std::vector<Mutation> mutations) const {
  transaction.changes.reserve(mutations.size());
  for (auto& mutation : mutations) {
    Change change;
    const auto& ref = mutation.target;
    change.key = keyOf(ref);
    if (mutation.kind == Mutation::Kind::put) {
      if (ref.resource.empty() || ref.name.empty() || stringAt(mutation.body, {"metadata", "name"}) != ref.name ||
          stringAt(mutation.body, {"metadata", "namespace"}) != ref.ns)
        return makeError(Errc::internal, "the body of " + quoted(ref) + " carries another name or namespace");
      change.text = recordText(mutation.body);
      if (auto readable = checkRecordText(change.text); !readable.ok())
        return makeError(readable.error().code, quoted(ref) + ": " + readable.error().message);
      if (change.text.size() > kMaxObjectBytes)
        return makeError(Errc::tooLarge, quoted(ref) + " has " + std::to_string(change.text.size()) +
                                             " bytes, the limit is " + std::to_string(kMaxObjectBytes));
    }
    change.mutation = std::move(mutation);
    transaction.bytes += change.text.size() + kRemovalBytes;
    transaction.changes.push_back(std::move(change));
  }
  return {};
}

LogStore::Checked LogStore::check(const Change& change, const std::unordered_map<std::string, Pending>& own) const {
  const auto& ref = change.mutation.target;
  Checked out;
  if (const auto mine = own.find(change.key); mine != own.end()) {
    out.current = mine->second.object;
  } else if (const auto other = pending_.find(change.key); other != pending_.end()) {
    out.current = other->second.object;
    out.onPending = true;
  } else {
    out.current = durable_.get(ref);
  }
  const auto& expected = change.mutation.ifRevision;
  if (!out.current && change.mutation.kind == Mutation::Kind::remove)
    out.error = makeError(Errc::notFound, quoted(ref) + " not found");
  else if (expected && *expected == 0 && out.current)
    out.error = makeError(Errc::alreadyExists, quoted(ref) + " already exists");
  else if (expected && *expected != 0 && (!out.current || out.current->revision() != *expected))
    out.error = makeError(
        Errc::conflict,
        "cannot write " + quoted(ref) + " based on revision " + std::to_string(*expected) + ": " +
            (out.current ? "it was changed meanwhile and is at revision " + std::to_string(out.current->revision())
                         : std::string("it was deleted meanwhile")));
  return out;
}

Result<void> LogStore::stage(Transaction& transaction, bool& onPending) {
  std::unordered_map<std::string, Pending> own;
  std::vector<ObjectPtr> befores;
  befores.reserve(transaction.changes.size());
  // First every check, so that a failing transaction leaves nothing to undo; inside a transaction
  // later mutations see earlier ones through `own`, whose revisions are the ones they will get.
  std::uint64_t revision = nextRevision_;
  std::vector<std::string> stamps;
  for (auto& change : transaction.changes) {
    auto checked = check(change, own);
    if (checked.error) {
      onPending = checked.onPending;
      for (auto& earlier : transaction.changes)  // a later attempt needs the bodies again
        if (earlier.after) earlier.mutation.body = earlier.after->json(), earlier.after = nullptr;
      return std::move(*checked.error);
    }
    change.before = std::move(checked.current);
    change.revision = revision++;
    if (change.mutation.kind == Mutation::Kind::put) {
      stampRevision(change.mutation.body, std::to_string(change.revision));
      change.after = Object::make(std::move(change.mutation.body));
    }
    own.insert_or_assign(change.key, Pending{change.after, change.revision});
  }
  pending_.reserve(pending_.size() + own.size());  // from here on nothing throws
  while (!own.empty()) {
    auto node = own.extract(own.begin());
    if (const auto known = pending_.find(node.key()); known != pending_.end()) known->second = std::move(node.mapped());
    else pending_.insert(std::move(node));
  }
  nextRevision_ = revision;
  return {};
}

Result<std::vector<Committed>> LogStore::commit(std::vector<Mutation> mutations) {
  if (mutations.empty()) return std::vector<Committed>{};
  Transaction transaction;
  STEER_CHECK(prepare(transaction, std::move(mutations)));
  for (;;) {
    bool onPending = false;
    Transaction barrier;
    std::optional<Error> refused;
    {
      std::lock_guard lock(mutex_);
      queue_.reserve(queue_.size() + 1);  // what is staged is queued, whatever happens
      auto staged = stage(transaction, onPending);
      if (!staged.ok()) {
        if (!onPending) return std::move(staged).error();
        refused = std::move(staged).error();
      }
      queue_.push_back(refused ? &barrier : &transaction);
      if (!leading_) {
        leading_ = true;
        (refused ? barrier : transaction).state = Transaction::leader;
      }
    }
    if (!refused) break;
    await(barrier);  // then what it rested on is durable, or gone
  }
  await(transaction);
  if (transaction.failure) return std::move(*transaction.failure);
  std::vector<Committed> out;
  out.reserve(transaction.changes.size());
  for (auto& change : transaction.changes) out.push_back({change.revision, std::move(change.after)});
  return out;
}

void LogStore::await(Transaction& transaction) {
  transaction.state.wait(Transaction::waiting);
  if (transaction.state.load() == Transaction::leader) lead();
}

/// What waits for the leader waits for ever if it fails on the way: so every way ends in settle(). All that may throw
/// comes before the log is written; what is written is published.
void LogStore::lead() {
  std::vector<Transaction*> group;
  Publication publication;
  Result<void> written;
  const auto fault = barrier::run(kWriter, [&] {
    {
      std::lock_guard lock(mutex_);
      std::size_t bytes = 0;
      auto end = queue_.begin();
      while (end != queue_.end() && (end == queue_.begin() || bytes + (*end)->bytes <= kMaxGroupBytes))
        bytes += (*end++)->bytes;
      group.assign(queue_.begin(), end);
      queue_.erase(queue_.begin(), end);
    }
    auto records = recordsOf(group);
    publication = publicationOf(group);
    written = writeRecords(records);
  });
  if (fault) written = makeError(Errc::internal, barrier::faultText(kWriter, *fault));
  if (written.ok()) publishGroup(group, std::move(publication));
  else rollBack(group, written.error());
  if (options_.inlineCommit) (void)barrier::run("the store's housekeeping", [this] { maintainInline(); });
}

std::vector<LogRecord> LogStore::recordsOf(const std::vector<Transaction*>& group) const {
  std::vector<LogRecord> records;
  if (!log_) return records;
  for (auto* transaction : group)
    for (auto& change : transaction->changes) {
      LogRecord record;
      record.revision = change.revision;
      record.removed = change.mutation.kind == Mutation::Kind::remove;
      record.target = change.mutation.target;
      record.body = std::move(change.text);
      record.previous = change.before ? change.before->revision() : 0;
      records.push_back(std::move(record));
    }
  return records;
}

Result<void> LogStore::writeRecords(const std::vector<LogRecord>& records) {
  if (records.empty()) return {};
  auto written = log_->append(records);
  if (!written.ok() || options_.inlineCommit) return written;
  const std::uint64_t keep = options_.retainRevisions;
  const bool tooLong = keep != 0 && records.back().revision > hub_->compacted() + keep + keep / 4;
  if (tooLong || log_->wantsTidy()) {
    std::lock_guard lock(maintenanceMutex_);
    maintenanceDue_ = true;
    maintenanceCv_.notify_one();
  }
  return written;
}

LogStore::Publication LogStore::publicationOf(const std::vector<Transaction*>& group) const {
  // Only a leader changes durable_, so it may read it without the lock.
  Publication out{durable_, {}};
  auto& [next, events] = out;
  for (auto* transaction : group)
    for (auto& change : transaction->changes) {
      const auto& ref = change.mutation.target;
      auto event = std::make_shared<StoreEvent>();
      std::size_t bytes = kRemovalBytes;
      if (change.mutation.kind == Mutation::Kind::remove) {
        change.after = atRevision(*change.before, change.revision);
        next.remove(ref.resource, ref.ns, ref.name);
        event->type = StoreEvent::Type::deleted;
      } else {
        next.put(ref.resource, change.after);
        event->type = change.before ? StoreEvent::Type::modified : StoreEvent::Type::added;
        bytes = transaction->bytes / transaction->changes.size();
      }
      event->revision = change.revision;
      event->resource = ref.resource;
      event->before = change.before;
      event->after = change.after;
      next.setRevision(change.revision);
      events.push_back({std::move(event), bytes});
    }
  return out;
}

void LogStore::publishGroup(const std::vector<Transaction*>& group, Publication publication) {
  const std::uint64_t reached = publication.next.revision();
  {
    std::lock_guard lock(mutex_);
    std::swap(durable_, publication.next);
    for (const auto* transaction : group)
      for (const auto& change : transaction->changes) {
        const auto it = pending_.find(change.key);
        if (it != pending_.end() && it->second.revision <= reached) pending_.erase(it);
      }
  }
  std::vector<Waker> wakers;
  if (barrier::run(kNews, [&] { wakers = hub_->publish(std::move(publication.events), reached); })) {
    hub_->skipTo(reached);
    (void)barrier::run(kNews, [&] { wakers = hub_->wakeAll(); });
  }
  settle(group);
  for (const auto& waker : wakers)
    if (barrier::run(kNews, waker)) (void)barrier::run(kNews, waker);  // nobody else would wake it
}

void LogStore::rollBack(const std::vector<Transaction*>& group, const Error& error) {
  std::vector<Transaction*> rest;  // rests on the group
  {
    std::lock_guard lock(mutex_);
    rest.swap(queue_);
    pending_.clear();
    nextRevision_ = durable_.revision() + 1;
  }
  for (const auto* all : std::initializer_list<const std::vector<Transaction*>*>{&group, &rest})
    for (auto* transaction : *all) {
      if (transaction->changes.empty()) continue;
      if (barrier::run("the news of a refusal", [&] { transaction->failure = error; }))
        transaction->failure = makeError(Errc::internal, "out of memory");  // short enough to need none
    }
  settle(group);
  tellDone(rest);
}

void LogStore::settle(const std::vector<Transaction*>& group) {
  Transaction* heir = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) leading_ = false;
    else heir = queue_.front();
  }
  if (heir != nullptr) {
    heir->state = Transaction::leader;
    heir->state.notify_one();
  }
  tellDone(group);
}

/// A transaction lives on its caller's stack: it is not touched after its state says done.
void LogStore::tellDone(const std::vector<Transaction*>& group) {
  for (auto* transaction : group) {
    auto& state = transaction->state;
    state.store(Transaction::done);
    state.notify_one();
  }
}

Result<std::unique_ptr<StoreWatch>> LogStore::watch(const std::string& resource, std::uint64_t fromRevision,
                                                    Waker waker, WatchFilter filter) {
  return hub_->watch(resource, fromRevision, std::move(waker), std::move(filter));
}

Result<void> LogStore::compact(std::uint64_t upTo) {
  if (const auto last = revision(); upTo > last)
    return makeError(Errc::invalid, "cannot compact up to revision " + std::to_string(upTo) + ": the last one is " +
                                        std::to_string(last));
  return compactSteps(upTo, false);
}

Result<void> LogStore::compactSteps(std::uint64_t upTo, bool yielding) {
  std::lock_guard one(compactMutex_);
  if (upTo <= hub_->compacted()) return {};
  hub_->setCompacted(upTo);  // before anything is deleted, so that no reader finds a hole
  while (log_) {
    STEER_TRY(const std::uint64_t reached, log_->compact(upTo));
    if (reached >= upTo) break;
    if (!yielding) continue;
    std::unique_lock lock(maintenanceMutex_);  // commits go first
    if (maintenanceCv_.wait_for(lock, milliseconds(1), [this] { return stopping_; })) return {};
  }
  return {};
}

void LogStore::maintainInline() {
  if (log_ && log_->wantsTidy())
    if (auto tidied = log_->tidy(); !tidied.ok())
      log::warn("cannot tidy the store's log", {{"error", tidied.error().message}});
  const std::uint64_t keep = options_.retainRevisions;
  const std::uint64_t last = revision();
  if (keep == 0 || last <= hub_->compacted() + keep + keep / 4) return;
  if (auto done = compactSteps(last - keep, false); !done.ok())
    log::warn("cannot compact the store", {{"error", done.error().message}});
}

void LogStore::maintain() {
  for (;;) {
    {
      std::unique_lock lock(maintenanceMutex_);
      maintenanceCv_.wait(lock, [this] { return stopping_ || maintenanceDue_; });
      if (stopping_) return;
      maintenanceDue_ = false;
    }
    if (auto tidied = log_->tidy(); !tidied.ok())
      log::warn("cannot tidy the store's log", {{"error", tidied.error().message}});
    const std::uint64_t keep = options_.retainRevisions;
    const std::uint64_t last = revision();
    if (keep == 0 || last <= hub_->compacted() + keep + keep / 4) continue;
    if (auto done = compactSteps(last - keep, true); !done.ok())
      log::warn("cannot compact the store", {{"error", done.error().message}});
  }
}

}  // namespace steer
