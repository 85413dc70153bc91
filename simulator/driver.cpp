#include "simulator/driver.h"

#include <algorithm>

namespace steer {

struct Driver::Entry {
  explicit Entry(Loop& of) : loop(&of), guarded(of) {}
  Loop* loop;
  GuardedLoop guarded;
  bool woken = true;
  std::optional<Time> due;
};

Driver::Driver(ManualClock& clock, std::uint64_t seed) : clock_(clock), chance_(seed) {}

Driver::~Driver() {
  for (const auto& entry : entries_) entry->loop->setWaker(nullptr);
}

void Driver::add(Loop& loop) {
  auto entry = std::make_shared<Entry>(loop);
  loop.setWaker([weak = std::weak_ptr<Entry>(entry)] {
    if (const auto alive = weak.lock()) alive->woken = true;
  });
  entries_.push_back(std::move(entry));
}

void Driver::remove(Loop& loop) {
  std::erase_if(entries_, [&](const auto& entry) { return entry->loop == &loop; });
  loop.setWaker(nullptr);
}

void Driver::stepOne(std::size_t index) {
  const auto entry = entries_[index];
  entry->woken = false;
  const auto next = entry->guarded.step(clock_.now());
  entry->due = next.at;
  ++steps_;
  if (between_) between_();
}

bool Driver::settle(std::size_t budget) {
  std::vector<std::size_t> ready;
  while (budget-- > 0) {
    if (expired_ && expired_()) return false;
    ready.clear();
    const Time now = clock_.now();
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i]->woken || (entries_[i]->due && *entries_[i]->due <= now)) ready.push_back(i);
    if (ready.empty()) return true;
    stepOne(ready[chance_() % ready.size()]);
  }
  return false;
}

std::optional<Time> Driver::nextTimer() const {
  std::optional<Time> next;
  for (const auto& entry : entries_)
    if (entry->due && (!next || *entry->due < *next)) next = entry->due;
  return next;
}

bool Driver::advance(Duration by, std::size_t budget) {
  const Time target = clock_.now() + by;
  const std::size_t limit = steps_ + budget;
  for (;;) {
    if (!settle()) return false;
    const auto next = nextTimer();
    if (!next || *next > target) break;
    if (steps_ > limit) return false;
    clock_.advanceTo(*next);
  }
  clock_.advanceTo(target);
  return settle();
}

std::string Driver::busy() const {
  std::string out;
  for (const auto& entry : entries_)
    if (entry->woken || (entry->due && *entry->due <= clock_.now())) out += std::string(entry->loop->name()) + " ";
  return out;
}

}  // namespace steer
