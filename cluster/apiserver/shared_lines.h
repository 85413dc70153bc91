#pragma once
// SharedLines: the newest events of watches as lines of JSON, made once and sent by all watches that tell of them. A
// thousand readers that do not read hold one text, not a thousand.
// Thread rule: thread-safe.
#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/client/client.h"

namespace steer {

class SharedLines {
 public:
  using Line = std::shared_ptr<const std::string>;
  /// The event with its whole object, as `{"type":…,"object":…}` and a line break.
  Line lineOf(const WatchEvent& event);

 private:
  /// As many events as may be on their way to all watches at once; older ones are written again.
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kLongest = 256 * 1024;  ///< longer lines are kept by their readers alone
  struct Entry {
    ObjectPtr object{};  ///< kept, so that its address means nothing else
    WatchEvent::Type type = WatchEvent::Type::added;
    Line line{};
    std::weak_ptr<const std::string> lent{};  ///< of a long line
  };

  std::mutex mutex_;
  std::array<Entry, kKept> entries_;
};

/// The name of an event's type on the wire.
std::string_view wireName(WatchEvent::Type type);

}  // namespace steer
