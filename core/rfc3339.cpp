#include "core/rfc3339.h"

#include <array>
#include <cstdio>

namespace steer {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

struct Broken {
  int year, month, day, hour, minute, second, micro;
};

Broken breakDown(Time t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day ymd{day};
  const std::chrono::hh_mm_ss hms{t - day};
  return {static_cast<int>(ymd.year()),
          static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day())),
          static_cast<int>(hms.hours().count()),
          static_cast<int>(hms.minutes().count()),
          static_cast<int>(hms.seconds().count()),
          static_cast<int>(hms.subseconds().count())};
}

/// Reads exactly n digits from the front of text; -1 when they are not there.
int digits(std::string_view& text, std::size_t n) {
  if (text.size() < n) return -1;
  int value = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return value;
}

bool eat(std::string_view& text, std::string_view anyOf) {
  if (text.empty() || anyOf.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t readFraction(std::string_view& text, bool& bad) {
  if (text.empty() || text[0] != '.') return 0;
  text.remove_prefix(1);
  std::int64_t micros = 0;
  int count = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (count < 6) micros = micros * 10 + (text[0] - '0');
    ++count;
    text.remove_prefix(1);
  }
  bad = count == 0;
  for (; count < 6; ++count) micros *= 10;
  return micros;
}

/// Offset from UTC in minutes.
std::optional<int> readOffset(std::string_view& text) {
  if (eat(text, "Z")) return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const int h = digits(text, 2);
  if (!eat(text, ":")) return std::nullopt;
  const int m = digits(text, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  return sign * (h * 60 + m);
}

}  // namespace

std::string formatTime(Time t) {
  const auto b = breakDown(t);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", b.year, b.month, b.day, b.hour, b.minute,
                b.second);
  return out.data();
}

std::string formatMicroTime(Time t) {
  const auto b = breakDown(t);
  std::array<char, 96> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", b.year, b.month, b.day, b.hour, b.minute,
                b.second, b.micro);
  return out.data();
}

std::optional<Time> parseTime(std::string_view text) {
  const int year = digits(text, 4);
  if (!eat(text, "-")) return std::nullopt;
  const int month = digits(text, 2);
  if (!eat(text, "-")) return std::nullopt;
  const int day = digits(text, 2);
  if (!eat(text, "T")) return std::nullopt;
  const int hour = digits(text, 2);
  if (!eat(text, ":")) return std::nullopt;
  const int minute = digits(text, 2);
  if (!eat(text, ":")) return std::nullopt;
  const int second = digits(text, 2);
  bool badFraction = false;
  const std::int64_t micros = readFraction(text, badFraction);
  const auto offset = readOffset(text);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59 || badFraction || !offset || !text.empty())
    return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                        std::chrono::day{static_cast<unsigned>(day)}};
  if (!ymd.ok()) return std::nullopt;
  const Time out{sys_days{ymd}.time_since_epoch() + std::chrono::hours{hour} + std::chrono::minutes{minute - *offset} +
                 std::chrono::seconds{second} + Duration{micros}};
  // An offset may lead out of the years that can be written.
  const int written = breakDown(out).year;
  return written < 0 || written > 9999 ? std::nullopt : std::optional(out);
}

}  // namespace steer
