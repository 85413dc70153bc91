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
/// Any RFC 3339 time, with fraction and offset; nothing when malformed or out of range.
std::optional<Time> parseTime(std::string_view text);

}  // namespace steer
