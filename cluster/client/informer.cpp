#include "cluster/client/informer.h"

#include <algorithm>
#include <set>

namespace steer {
namespace {

constexpr Duration kFirstDelay = milliseconds(100);
constexpr Duration kLongestDelay = seconds(5);
constexpr Duration kCalm = seconds(10);  ///< a watch that lived this long starts the back-off anew

}  // namespace

struct Informer::Feed {
  Source source;
  std::unique_ptr<Watch> watch{};
  /// (ns, name) of this feed's objects, kept only when another feed has the same resource.
  std::set<std::pair<std::string, std::string>> known{};
  bool shared = false;
  std::uint64_t seen = 0;
  bool listed = false;
  unsigned failures = 0;
  Time listedAt{};
  std::optional<Time> retryAt{};
};

Informer::Informer(Client& client, std::vector<Source> sources, Waker waker)
    : client_(client), waker_(std::move(waker)) {
  for (auto& source : sources) {
    auto feed = std::make_unique<Feed>();
    feed->source = std::move(source);
    for (auto& other : feeds_)
      if (other->source.resource == feed->source.resource) other->shared = feed->shared = true;
    feeds_.push_back(std::move(feed));
  }
}

Informer::~Informer() = default;

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

void Informer::relist(Feed& feed, Time now, const OnChange& onChange) {
  const auto& resource = feed.source.resource;
  ListOptions options = feed.source.options;
  std::vector<ObjectPtr> items;
  std::uint64_t revision = 0;
  do {
    auto page = client_.list(resource, options);
    if (!page.ok()) return retryLater(feed, now);
    revision = page->revision;
    options.continueToken = page->continueToken;
    items.insert(items.end(), std::make_move_iterator(page->items.begin()), std::make_move_iterator(page->items.end()));
  } while (!options.continueToken.empty());
  auto watch = client_.watch(resource, feed.source.options, revision, waker_);
  if (!watch.ok()) return retryLater(feed, now);

  std::set<std::pair<std::string, std::string>> present, gone;
  for (const auto& item : items) present.emplace(item->ns(), item->name());
  if (feed.shared) gone = feed.known;
  else snapshot_.each(resource, "", [&](const ObjectPtr& o) { gone.emplace(o->ns(), o->name()); });
  for (const auto& [ns, name] : gone)
    if (!present.contains({ns, name})) drop(feed, ns, name, onChange);
  for (const auto& item : items) take(feed, item, onChange);
  feed.watch = std::move(*watch);
  feed.listed = true;
  feed.listedAt = now;
  feed.retryAt.reset();
  advance(feed, revision);
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
    if (!feed->watch && (!feed->retryAt || *feed->retryAt <= now)) relist(*feed, now, onChange);
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
