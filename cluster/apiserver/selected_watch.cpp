#include "cluster/apiserver/selected_watch.h"

#include <utility>

namespace steer {

std::optional<WatchEvent> SelectedWatch::seen(const StoreEvent& event) const {
  const bool was = event.before != nullptr && selection_.matches(*event.before);
  const bool is = event.type != StoreEvent::Type::deleted && event.after != nullptr && selection_.matches(*event.after);
  if (!was && !is) return std::nullopt;
  WatchEvent out{WatchEvent::Type::modified, event.after, event.revision};
  if (!was) {
    out.type = WatchEvent::Type::added;
  } else if (!is) {
    out.type = WatchEvent::Type::deleted;
    if (event.type != StoreEvent::Type::deleted) {
      // As it was when it still belonged, at the revision at which it left.
      json::object last = event.before->json();
      ensureObject(last, "metadata")["resourceVersion"] = std::to_string(event.revision);
      out.object = Object::make(std::move(last));
    }
  }
  return out;
}

std::optional<WatchEvent> SelectedWatch::poll() {
  if (!initial_.empty()) {
    WatchEvent event = std::move(initial_.front());
    initial_.pop_front();
    return event;
  }
  while (!closed_) {
    auto next = source_->poll();
    if (!next.ok()) {
      closed_ = true;
      WatchEvent event{WatchEvent::Type::error, nullptr, 0};
      event.error = next.error();
      return event;
    }
    if (!next->has_value()) return std::nullopt;
    if (auto event = seen(**next)) return event;
  }
  return std::nullopt;
}

}  // namespace steer
