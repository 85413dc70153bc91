#include "core/duration.h"

#include <array>
#include <cmath>
#include <utility>

namespace steer {
namespace {

constexpr double kMost = 100.0 * 366 * 24 * 3600 * 1e6;  ///< microseconds

/// Reads "12" or "1.5" from the front; nothing when there is no digit.
std::optional<double> takeNumber(std::string_view& text) {
  double value = 0;
  double scale = 0;
  bool any = false;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '.' && scale == 0) {
      scale = 1;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    scale *= 10;
    if (scale != 0) value += (c - '0') / scale;
    else value = value * 10 + (c - '0');
    if (value > kMost) return std::nullopt;
  }
  return any ? std::optional(value) : std::nullopt;
}

/// Microseconds of the unit at the front.
std::optional<double> takeUnit(std::string_view& text) {
  static constexpr std::array<std::pair<std::string_view, double>, 8> units{
      {{"ns", 1e-3}, {"us", 1}, {"µs", 1}, {"μs", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}}};
  for (const auto& [name, micros] : units)
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return micros;
    }
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parseDuration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double all = 0;
  while (!text.empty()) {
    const auto number = takeNumber(text);
    const auto unit = number ? takeUnit(text) : std::nullopt;
    if (!unit) return std::nullopt;
    all += *number * *unit;
    if (all > kMost) return std::nullopt;
  }
  return Duration(std::llround(std::floor(all + 1e-6)));
}

}  // namespace steer
