#pragma once
// RFC 3339 times as Kubernetes writes them: metav1.Time has seconds, metav1.MicroTime micros.
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace steer {

/// "2026-11-21T03:44:13Z".
std::string formatTime(Time t);
/// "2026-11-21T03:44:13.123456Z".
std::string formatMicroTime(Time t);
/// A time as Go's parser takes it: T and Z in capitals, no leap second, with fraction and offset; nothing when
/// malformed, or when it lies outside the years 0 to 9999 of UTC, which no text could say.
std::optional<Time> parseTime(std::string_view text);

}  // namespace steer
