#include "cluster/apiserver/shared_lines.h"

#include <functional>

#include "core/json.h"

namespace steer {

std::string_view wireName(WatchEvent::Type type) {
  static constexpr std::string_view kNames[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
  return kNames[static_cast<std::size_t>(type)];
}

SharedLines::Line SharedLines::lineOf(const WatchEvent& event) {
  const auto slot = std::hash<const Object*>{}(event.object.get()) / alignof(std::max_align_t) % kKept;
  {
    std::lock_guard lock(mutex_);
    const auto& entry = entries_[slot];
    if (entry.object == event.object && entry.type == event.type) {
      if (entry.line) return entry.line;
      if (auto lent = entry.lent.lock()) return lent;
    }
  }
  std::string text = "{\"type\":\"";
  text += wireName(event.type);
  text += "\",\"object\":";
  text += jsonText(event.object->json());
  text += "}\n";
  const auto line = std::make_shared<const std::string>(std::move(text));
  std::lock_guard lock(mutex_);
  entries_[slot] = {event.object, event.type, line->size() <= kLongest ? line : nullptr, line};
  return line;
}

}  // namespace steer
