#include "net/http/connection_table.h"

#include <sys/socket.h>

#include <algorithm>
#include <vector>

namespace steer {
namespace {

/// A reader that took nothing for this long may be cut off when memory is short.
constexpr std::chrono::seconds kStalled{2};

void end(const ConnectionTable::Place& place) { ::shutdown(place.fd, SHUT_RDWR); }

}  // namespace

bool ConnectionTable::makeRoom() {
  std::list<Place*>* heaviest = nullptr;
  for (auto& [address, places] : strangers_)
    if (heaviest == nullptr || places.size() > heaviest->size()) heaviest = &places;
  if (heaviest == nullptr) return false;
  Place& oldest = *heaviest->front();
  end(oldest);
  // It leaves by itself in a moment; until then it counts among those who may stay.
  known_.splice(known_.end(), *heaviest, heaviest->begin());
  if (heaviest->empty()) strangers_.erase(oldest.address);
  oldest.address.clear();
  return true;
}

bool ConnectionTable::enter(Place& place) {
  std::lock_guard lock(mutex_);
  if (closed_ || (size_ >= most_ && !makeRoom())) return false;
  auto& places = strangers_[place.address];
  place.self = places.insert(places.end(), &place);
  ++size_;
  return true;
}

bool ConnectionTable::identify(Place& place, const std::string& user) {
  std::lock_guard lock(mutex_);
  if (user == place.user) return true;
  if (place.user.empty()) {
    auto& mine = byUser_[user];
    if (mine >= std::max<std::size_t>(1, most_ / 4 * 3)) return false;
    ++mine;
    if (const auto it = strangers_.find(place.address); !place.address.empty() && it != strangers_.end()) {
      known_.splice(known_.end(), it->second, place.self);
      if (it->second.empty()) strangers_.erase(it);
    }
    place.user = user;
  }
  return true;
}

void ConnectionTable::leave(Place& place) {
  std::lock_guard lock(mutex_);
  if (!place.user.empty()) {
    if (const auto it = byUser_.find(place.user); --it->second == 0) byUser_.erase(it);
    known_.erase(place.self);
  } else if (place.address.empty()) {
    known_.erase(place.self);
  } else if (const auto it = strangers_.find(place.address); it != strangers_.end()) {
    it->second.erase(place.self);
    if (it->second.empty()) strangers_.erase(it);
  }
  if (--size_ == 0) left_.notify_all();
}

void ConnectionTable::sweep(Clock::time_point now) {
  std::lock_guard lock(mutex_);
  std::size_t unsent = 0;
  std::vector<Place*> stalled;
  const auto look = [&](Place& place) {
    const auto until = place.until.load();
    if (until != 0 && now.time_since_epoch().count() >= until && !place.late.exchange(true))
      ::shutdown(place.fd, place.answerWhenLate ? SHUT_RD : SHUT_RDWR);
    const auto bytes = place.unsent.load();
    unsent += bytes;
    if (bytes > 0 && now - Clock::time_point(Clock::duration(place.stalledSince.load())) >= kStalled)
      stalled.push_back(&place);
  };
  for (auto* place : known_) look(*place);
  for (auto& [address, places] : strangers_)
    for (auto* place : places) look(*place);
  if (unsent <= unsentBytes_) return;
  std::sort(stalled.begin(), stalled.end(),
            [](const Place* a, const Place* b) { return a->stalledSince.load() < b->stalledSince.load(); });
  for (auto* place : stalled) {
    if (unsent <= unsentBytes_) break;
    end(*place);
    unsent -= std::min(unsent, place->unsent.load());
  }
}

void ConnectionTable::shutAll() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto* place : known_) end(*place);
  for (auto& [address, places] : strangers_)
    for (auto* place : places) end(*place);
}

void ConnectionTable::awaitEmpty() {
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return size_ == 0; });
}

std::size_t ConnectionTable::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace steer
