#include "cluster/client/informer.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>

#include "core/barrier.h"

namespace steer {
namespace {

constexpr std::string_view kListing = "a listing";
constexpr Duration kFirstDelay = milliseconds(100);
constexpr Duration kLongestDelay = seconds(5);
constexpr Duration kCalm = seconds(10);  ///< a watch that lived this long starts the back-off anew

}  // namespace

struct Informer::Listed {
  std::vector<ObjectPtr> items;
  std::uint64_t revision = 0;
  std::unique_ptr<Watch> watch;
};

/// Lists that run elsewhere. Jobs hold it, so that one which an executor drops does no harm.
struct Informer::Lists {
  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;
  bool closing = false;
  std::map<const Feed*, Result<Listed>> done;
};

struct Informer::Feed {
  Source source;
  std::unique_ptr<Watch> watch{};
  /// (ns, name) of this feed's objects, kept only when another feed has the same resource.
  std::set<std::pair<std::string, std::string>> known{};
  bool shared = false;
  std::uint64_t seen = 0;
  bool listed = false;
  bool asking = false;  ///< a list of it runs elsewhere
  unsigned failures = 0;
  Time listedAt{};
  std::optional<Time> retryAt{};
};

Informer::Informer(Client& client, std::vector<Source> sources, Waker waker, Executor* executor,
                   Snapshot::Indexes indexes)
    : client_(client),
      waker_(std::move(waker)),
      executor_(executor),
      lists_(std::make_shared<Lists>()),
      snapshot_(indexes) {
  for (auto& source : sources) {
    auto feed = std::make_unique<Feed>();
    feed->source = std::move(source);
    for (auto& other : feeds_)
      if (other->source.resource == feed->source.resource) other->shared = feed->shared = true;
    feeds_.push_back(std::move(feed));
  }
}

Informer::~Informer() {
  std::unique_lock lock(lists_->mutex);
  lists_->closing = true;
  lists_->idle.wait(lock, [this] { return lists_->running == 0; });
  lists_->done.clear();
}

bool Informer::synced() const {
  return std::all_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->listed; });
}

std::optional<Time> Informer::retryAt() const {
  std::optional<Time> first;
  for (const auto& feed : feeds_)
    if (feed->retryAt && (!first || *feed->retryAt < *first)) first = feed->retryAt;
  return first;
}

std::uint64_t Informer::seenRevision() const {
  std::uint64_t least = 0;
  for (const auto& feed : feeds_) least = feed == feeds_.front() ? feed->seen : std::min(least, feed->seen);
  return least;
}

void Informer::retryLater(Feed& feed, Time now) {
  feed.watch.reset();
  if (feed.listed && now - feed.listedAt > kCalm) feed.failures = 0;
  feed.retryAt =
      now + (feed.failures >= 6 ? kLongestDelay : std::min(kLongestDelay, kFirstDelay * (1 << feed.failures)));
  ++feed.failures;
}

Result<Informer::Listed> Informer::fetch(Client& client, const Source& source, const Waker& waker) {
  ListOptions options = source.options;
  Listed out;
  do {
    STEER_TRY(auto page, client.list(source.resource, options));
    out.revision = page.revision;
    options.continueToken = page.continueToken;
    out.items.insert(out.items.end(), std::make_move_iterator(page.items.begin()),
                     std::make_move_iterator(page.items.end()));
  } while (!options.continueToken.empty());
  STEER_TRY(out.watch, client.watch(source.resource, source.options, out.revision, waker));
  return out;
}

void Informer::relist(Feed& feed, Time now, const OnChange& onChange) {
  if (!executor_) return takeList(feed, fetch(client_, feed.source, waker_), now, onChange);
  feed.asking = true;
  executor_->submit([lists = lists_, &client = client_, source = feed.source, waker = waker_, key = &feed] {
    {
      std::lock_guard lock(lists->mutex);
      if (lists->closing) return;
      ++lists->running;
    }
    Result<Listed> list = makeError(Errc::internal, "the list was not read");
    if (const auto fault = barrier::run(kListing, [&] { list = fetch(client, source, waker); }))
      list = makeError(Errc::internal, barrier::faultText(kListing, *fault));
    {
      std::lock_guard lock(lists->mutex);
      --lists->running;
      if (!lists->closing) lists->done.emplace(key, std::move(list));
      lists->idle.notify_all();
      if (lists->closing) return;
    }
    if (waker) waker();
  });
}

/// What came of a list that ran elsewhere.
void Informer::collect(Feed& feed, Time now, const OnChange& onChange) {
  std::optional<Result<Listed>> list;
  {
    std::lock_guard lock(lists_->mutex);
    const auto found = lists_->done.find(&feed);
    if (found == lists_->done.end()) return;
    list.emplace(std::move(found->second));
    lists_->done.erase(found);
  }
  feed.asking = false;
  takeList(feed, std::move(*list), now, onChange);
}

void Informer::takeList(Feed& feed, Result<Listed> list, Time now, const OnChange& onChange) {
  if (!list.ok()) return retryLater(feed, now);
  const auto& resource = feed.source.resource;
  const auto& items = list->items;
  std::set<std::pair<std::string, std::string>> present, gone;
  for (const auto& item : items) present.emplace(item->ns(), item->name());
  if (feed.shared) gone = feed.known;
  else snapshot_.each(resource, "", [&](const ObjectPtr& o) { gone.emplace(o->ns(), o->name()); });
  for (const auto& [ns, name] : gone)
    if (!present.contains({ns, name})) drop(feed, ns, name, onChange);
  for (const auto& item : items) take(feed, item, onChange);
  feed.watch = std::move(list->watch);
  feed.listed = true;
  feed.listedAt = now;
  feed.retryAt.reset();
  advance(feed, list->revision);
}

void Informer::take(Feed& feed, const ObjectPtr& object, const OnChange& onChange) {
  const auto& resource = feed.source.resource;
  const ObjectPtr before = snapshot_.get(resource, object->ns(), object->name());
  if (feed.shared) feed.known.emplace(object->ns(), object->name());
  // Another feed of the same resource may already have brought this state, or a later one.
  if (before && before->revision() >= object->revision() && object->revision() != 0) return;
  snapshot_.put(resource, object);
  if (onChange) onChange(resource, before, object);
}

void Informer::drop(Feed& feed, const std::string& ns, const std::string& name, const OnChange& onChange) {
  const auto& resource = feed.source.resource;
  if (feed.shared) {
    feed.known.erase({ns, name});
    for (const auto& other : feeds_)
      if (other->source.resource == resource && other->known.contains({ns, name})) return;
  }
  const ObjectPtr before = snapshot_.get(resource, ns, name);
  if (!before) return;
  snapshot_.remove(resource, ns, name);
  if (onChange) onChange(resource, before, nullptr);
}

void Informer::advance(Feed& feed, std::uint64_t revision) {
  feed.seen = std::max(feed.seen, revision);
  snapshot_.setRevision(seenRevision());
}

bool Informer::pump(Time now, const OnChange& onChange, std::size_t maxEvents) {
  std::size_t left = maxEvents;
  for (auto& feed : feeds_) {
    if (feed->asking) collect(*feed, now, onChange);
    if (!feed->watch && !feed->asking && (!feed->retryAt || *feed->retryAt <= now)) {
      feed->retryAt.reset();
      relist(*feed, now, onChange);
      if (feed->asking) collect(*feed, now, onChange);  // an executor that runs jobs at once
    }
    while (feed->watch) {
      if (left == 0) return true;
      auto event = feed->watch->poll();
      if (!event) {
        if (feed->watch->closed()) retryLater(*feed, now);
        break;
      }
      --left;
      switch (event->type) {
        case WatchEvent::Type::added:
        case WatchEvent::Type::modified:
          take(*feed, event->object, onChange);
          break;
        case WatchEvent::Type::deleted:
          drop(*feed, event->object->ns(), event->object->name(), onChange);
          break;
        case WatchEvent::Type::bookmark:
          break;
        case WatchEvent::Type::error:
          retryLater(*feed, now);
          continue;
      }
      feed->failures = 0;
      advance(*feed, event->revision);
    }
  }
  return false;
}

}  // namespace steer
