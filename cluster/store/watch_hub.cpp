#include "cluster/store/watch_hub.h"

#include <algorithm>

#include "cluster/store/record_codec.h"

namespace steer {
namespace {

/// Of the log, a catching-up watch takes so many records at a time, until it holds so many bytes or has seen so many:
/// thousands of watches that nobody reads must not hold thousands of large objects.
constexpr std::size_t kLogChunk = 256, kFirstStep = 16, kLogBytes = 256 * 1024;
constexpr std::size_t kSmallRecord = 8 * 1024;  ///< such records are read in larger steps

std::string_view nodeOf(const Object& object) { return stringAt(object.spec(), {"nodeName"}); }

std::string bucketKey(std::string_view resource, char kind, std::string_view value) {
  std::string key;
  key.reserve(resource.size() + value.size() + 2);
  key += resource;
  key += '\x1f';
  key += kind;
  key += value;
  return key;
}

}  // namespace

bool WatchFilter::matches(const Object& object) const {
  return (ns.empty() || object.ns() == ns) && (name.empty() || object.name() == name) &&
         (!nodeName || nodeOf(object) == *nodeName);
}

bool WatchFilter::matches(const StoreEvent& event) const {
  return (event.after && matches(*event.after)) || (event.before && matches(*event.before));
}

struct WatchState {
  std::string resource;
  WatchFilter filter;
  Waker waker;
  std::string bucket;  ///< of the narrowest part of the filter

  // Guarded by the hub's mutex.
  bool listed = false;  ///< in a bucket
  // Guarded by `mutex`, which is taken after the hub's.
  std::mutex mutex;
  std::deque<PublishedEvent> queue;
  std::size_t queueBytes = 0;
  std::uint64_t position = 0;  ///< delivered, or skipped as not wanted, up to here
  bool live = false;
  bool signalled = false;  ///< the reader has been woken and has not emptied the queue since
};

class HubWatch final : public StoreWatch {
 public:
  HubWatch(std::shared_ptr<WatchHub> hub, std::shared_ptr<WatchState> state)
      : hub_(std::move(hub)), state_(std::move(state)) {}
  ~HubWatch() override { hub_->leave(state_); }

  Result<std::optional<StoreEvent>> poll() override {
    for (;;) {
      {
        std::lock_guard lock(state_->mutex);
        if (!state_->queue.empty()) {
          auto event = std::move(state_->queue.front().event);
          state_->queueBytes -= state_->queue.front().bytes;
          state_->queue.pop_front();
          state_->position = std::max(state_->position, event->revision);
          return std::optional<StoreEvent>{*event};
        }
        if (state_->live) {
          state_->signalled = false;
          return std::optional<StoreEvent>{};
        }
      }
      if (hub_->goLive(state_)) continue;
      STEER_CHECK(hub_->readLog(*state_));
    }
  }

  std::uint64_t progress() const override {
    const std::uint64_t published = hub_->published_.load();
    std::lock_guard lock(state_->mutex);
    return state_->live && state_->queue.empty() ? std::max(published, state_->position) : state_->position;
  }

 private:
  std::shared_ptr<WatchHub> hub_;
  std::shared_ptr<WatchState> state_;
};

WatchHub::WatchHub(std::shared_ptr<LogBackend> log, Limits limits, std::uint64_t revision, std::uint64_t compacted)
    : log_(std::move(log)), limits_(limits), floor_(revision), published_(revision), compacted_(compacted) {}

Result<std::unique_ptr<StoreWatch>> WatchHub::watch(const std::string& resource, std::uint64_t from, Waker waker,
                                                    WatchFilter filter) {
  if (from < compacted_.load())
    return makeError(Errc::gone, "revision " + std::to_string(from) + " has been compacted (oldest is " +
                                     std::to_string(compacted_.load()) + "): list again");
  auto state = std::make_shared<WatchState>();
  state->resource = resource;
  state->waker = std::move(waker);
  if (filter.nodeName) state->bucket = bucketKey(resource, 'n', *filter.nodeName);
  else if (!filter.name.empty()) state->bucket = bucketKey(resource, 'm', filter.name);
  else if (!filter.ns.empty()) state->bucket = bucketKey(resource, 's', filter.ns);
  else state->bucket = bucketKey(resource, '*', "");
  state->filter = std::move(filter);
  state->position = from;
  auto out = std::make_unique<HubWatch>(shared_from_this(), state);
  goLive(state);
  return std::unique_ptr<StoreWatch>(std::move(out));
}

bool WatchHub::goLive(const std::shared_ptr<WatchState>& state) {
  std::lock_guard lock(mutex_);
  std::lock_guard own(state->mutex);
  if (state->live) return true;
  if (state->position < floor_) return false;
  const auto start = std::partition_point(
      window_.begin(), window_.end(), [&](const PublishedEvent& p) { return p.event->revision <= state->position; });
  for (auto it = start; it != window_.end(); ++it)
    if (it->event->resource == state->resource && state->filter.matches(*it->event)) {
      state->queue.push_back(*it);
      state->queueBytes += it->bytes;
    }
  state->live = true;
  state->signalled = !state->queue.empty();
  if (!state->listed) {
    buckets_[state->bucket].push_back(state);
    state->listed = true;
    if (state->filter.nodeName) ++nodeWatches_[state->resource];
    else if (!state->filter.name.empty()) ++nameWatches_[state->resource];
    else if (!state->filter.ns.empty()) ++nsWatches_[state->resource];
  }
  return true;
}

void WatchHub::leave(const std::shared_ptr<WatchState>& state) {
  std::lock_guard lock(mutex_);
  leaveLocked(*state);
}

void WatchHub::leaveLocked(WatchState& state) {
  if (!state.listed) return;
  state.listed = false;
  auto lessOne = [&](std::unordered_map<std::string, std::size_t>& counts) {
    if (--counts[state.resource] == 0) counts.erase(state.resource);
  };
  if (state.filter.nodeName) lessOne(nodeWatches_);
  else if (!state.filter.name.empty()) lessOne(nameWatches_);
  else if (!state.filter.ns.empty()) lessOne(nsWatches_);
  const auto it = buckets_.find(state.bucket);
  if (it == buckets_.end()) return;
  std::erase_if(it->second, [&](const auto& other) { return other.get() == &state; });
  if (it->second.empty()) buckets_.erase(it);
}

Result<StoreEventPtr> WatchHub::eventOf(const LogRecord& record) {
  auto event = std::make_shared<StoreEvent>();
  event->revision = record.revision;
  event->resource = record.target.resource;
  if (record.previous != 0) {
    STEER_TRY(const auto previous, log_->at(record.previous));
    if (!previous) return makeError(Errc::gone, "the history of " + record.target.text() + " has been compacted");
    STEER_TRY(auto before, readRecord(*previous));
    event->before = std::move(before.object);
  }
  if (record.removed) {
    event->type = StoreEvent::Type::deleted;
    if (!event->before) return makeError(Errc::io, "the log record of a removal names no last state");
    event->after = atRevision(*event->before, record.revision);
  } else {
    event->type = event->before ? StoreEvent::Type::modified : StoreEvent::Type::added;
    STEER_TRY(auto after, readRecord(record));
    event->after = std::move(after.object);
  }
  return StoreEventPtr(std::move(event));
}

Result<void> WatchHub::readLog(WatchState& state) {
  const std::uint64_t position = [&] {
    std::lock_guard own(state.mutex);
    return state.position;
  }();
  const auto gone = [&] {
    return makeError(Errc::gone, "the watch fell behind the compaction at revision " +
                                     std::to_string(compacted_.load()) + ": list again");
  };
  if (position < compacted_.load() || !log_) return gone();
  const std::uint64_t published = published_.load();
  std::deque<PublishedEvent> events;
  std::size_t bytes = 0, seen = 0, read = 0;
  std::uint64_t reached = position;
  for (bool more = true; more && seen < kLogChunk && bytes < kLogBytes;) {
    const auto step = seen > 0 && read / seen < kSmallRecord ? kLogChunk - seen : kFirstStep;
    STEER_TRY(const auto records, log_->read(reached, step));
    more = records.size() == step;
    for (const auto& record : records) {
      ++seen;
      read += record.body.size();
      more = more && record.revision <= published;
      if (record.revision > published || bytes >= kLogBytes) break;
      if (record.revision != reached + 1) return gone();
      reached = record.revision;
      if (record.target.resource != state.resource) continue;
      auto event = eventOf(record);
      if (!event.ok()) return gone();  // a record that cannot be told: the reader lists what there is
      if (!state.filter.matches(**event)) continue;
      bytes += record.body.size();
      events.push_back({std::move(*event), record.body.size()});
    }
  }
  if (position < compacted_.load() || reached == position) return gone();
  std::lock_guard own(state.mutex);
  if (events.empty()) state.position = reached;  // else delivering them moves it
  state.queue = std::move(events);
  state.queueBytes = bytes;
  return {};
}

void WatchHub::push(WatchState& state, const PublishedEvent& published, std::vector<Waker>& wakers) {
  std::lock_guard own(state.mutex);
  if (published.event->revision <= state.position || !state.live) return;
  const bool heavy = !state.queue.empty() && state.queueBytes + published.bytes > limits_.bytesPerWatch;
  if (state.queue.size() >= limits_.perWatch || heavy) {
    // Too slow for memory: forget what was queued; the reader catches up from its position.
    state.queue.clear();
    state.queueBytes = 0;
    state.live = false;
  } else {
    state.queue.push_back(published);
    state.queueBytes += published.bytes;
  }
  if (!state.signalled && state.waker) wakers.push_back(state.waker);
  state.signalled = true;
}

void WatchHub::offer(const std::string& bucket, const PublishedEvent& published, std::vector<Waker>& wakers) {
  const auto it = buckets_.find(bucket);
  if (it == buckets_.end()) return;
  for (const auto& state : it->second)
    if (state->filter.matches(*published.event)) push(*state, published, wakers);
}

std::vector<Waker> WatchHub::publish(std::vector<PublishedEvent> events, std::uint64_t revision) {
  std::vector<Waker> wakers;
  std::lock_guard lock(mutex_);
  for (auto& published : events) {
    const auto& event = published.event;
    const std::string& resource = event->resource;
    offer(bucketKey(resource, '*', ""), published, wakers);
    if (nsWatches_.contains(resource)) offer(bucketKey(resource, 's', event->after->ns()), published, wakers);
    if (nameWatches_.contains(resource)) offer(bucketKey(resource, 'm', event->after->name()), published, wakers);
    if (nodeWatches_.contains(resource)) {
      const auto node = nodeOf(*event->after);
      offer(bucketKey(resource, 'n', node), published, wakers);
      if (event->before && nodeOf(*event->before) != node)
        offer(bucketKey(resource, 'n', nodeOf(*event->before)), published, wakers);
    }
    windowBytes_ += published.bytes;
    window_.push_back(std::move(published));
  }
  trim();
  collectAll(wakers);
  published_.store(revision);
  return wakers;
}

void WatchHub::skipTo(std::uint64_t revision) noexcept {
  std::lock_guard lock(mutex_);
  window_.clear();
  windowBytes_ = 0;
  floor_ = revision;
  published_.store(revision);
  allDue_ = true;
  for (const auto& [bucket, states] : buckets_)
    for (const auto& state : states) {
      std::lock_guard own(state->mutex);
      state->queue.clear();
      state->queueBytes = 0;
      state->live = false;
    }
}

void WatchHub::collectAll(std::vector<Waker>& wakers) {
  if (!allDue_) return;
  for (const auto& [bucket, states] : buckets_)
    for (const auto& state : states)
      if (state->waker) wakers.push_back(state->waker);
  allDue_ = false;
}

std::vector<Waker> WatchHub::wakeAll() {
  std::vector<Waker> wakers;
  std::lock_guard lock(mutex_);
  collectAll(wakers);
  return wakers;
}

void WatchHub::trim() {
  while (!window_.empty() && (window_.size() > limits_.events || windowBytes_ > limits_.bytes)) {
    floor_ = window_.front().event->revision;
    windowBytes_ -= window_.front().bytes;
    window_.pop_front();
  }
}

void WatchHub::setCompacted(std::uint64_t upTo) {
  if (upTo > compacted_.load()) compacted_.store(upTo);
}

}  // namespace steer
