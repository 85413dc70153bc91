#include "cluster/manager/key_queue.h"

#include <algorithm>

namespace steer {

void KeyQueue::add(const Id& id) {
  auto& state = states_[id];
  if (state.queued || (state.streak > kRestless && state.due)) return;
  state.queued = true;
  ready_.push_back(id);
}

void KeyQueue::addAt(const Id& id, Time when) {
  auto& state = states_[id];
  if (state.due && *state.due <= when) return;
  if (state.due) timers_.erase({*state.due, id});
  state.due = when;
  timers_.emplace(when, id);
}

void KeyQueue::retry(const Id& id, Time now) {
  const unsigned n = std::min(states_[id].failures++, 13U);
  addAt(id, now + std::min<Duration>(seconds(30), milliseconds(5) * (1 << n)));
}

void KeyQueue::succeeded(const Id& id) {
  auto& state = states_[id];
  state.failures = 0;
  state.streak = 0;
}

void KeyQueue::again(const Id& id, Time now) {
  auto& state = states_[id];
  state.failures = 0;
  if (++state.streak <= kRestless) return add(id);
  const unsigned n = std::min(state.streak - kRestless, 8U);
  addAt(id, now + std::min<Duration>(seconds(1), milliseconds(5) * (1 << n)));
}

void KeyQueue::setBarrier(const Id& id, Barrier barrier) { states_[id].barrier = std::move(barrier); }

void KeyQueue::release(Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const Id id = timers_.begin()->second;
    timers_.erase(timers_.begin());
    states_[id].due.reset();
    add(id);
  }
}

void KeyQueue::unblock() {
  for (auto& id : blocked_) ready_.push_back(std::move(id));
  blocked_.clear();
}

std::optional<Time> KeyQueue::nextTimer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void KeyQueue::settle(const Id& id) {
  const auto it = states_.find(id);
  if (it == states_.end()) return;
  const auto& state = it->second;
  if (!state.queued && state.failures == 0 && !state.due && state.barrier.empty()) states_.erase(it);
}

}  // namespace steer
