#pragma once
// Durations as Kubernetes writes them in specs: "30s", "1h30m", "1.5h". Pure.
#include <optional>
#include <string_view>

#include "core/clock.h"

namespace steer {

/// Nothing when malformed, negative, or longer than a hundred years. What is below a microsecond is dropped.
std::optional<Duration> parseDuration(std::string_view text);

}  // namespace steer
