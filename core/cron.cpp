#include "core/cron.h"

#include <array>
#include <cctype>
#include <vector>

namespace steer {
namespace {

constexpr std::int64_t kDay = 24 * 60;  ///< minutes
constexpr std::int64_t kFarthest = 5 * 366 * kDay;

struct FieldRule {
  const char* name;
  int least;
  int most;
  std::vector<std::string_view> words;  ///< names of values, from `least` on
};

const std::array<FieldRule, 5>& fieldRules() {
  static const std::array<FieldRule, 5> rules{
      FieldRule{"minute", 0, 59, {}},
      FieldRule{"hour", 0, 23, {}},
      FieldRule{"day of month", 1, 31, {}},
      FieldRule{"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      FieldRule{"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  };
  return rules;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (separators.find(c) == std::string_view::npos) out.back() += c;
    else out.emplace_back();
  }
  return out;
}

std::optional<int> valueIn(const std::string& text, const FieldRule& rule) {
  for (std::size_t i = 0; i < rule.words.size(); ++i)
    if (text == rule.words[i]) return rule.least + static_cast<int>(i);
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const int value = std::stoi(text);
  return value < rule.least || value > rule.most ? std::nullopt : std::optional(value);
}

/// Bits of one item: "*", "3", "1-5", "*/15", "1-30/2", "3/10".
std::optional<std::uint64_t> bitsOfItem(const std::string& item, const FieldRule& rule) {
  const auto parts = split(item, "/");
  if (parts.size() > 2 || parts[0].empty()) return std::nullopt;
  int step = 1;
  if (parts.size() == 2) {
    const auto& text = parts[1];
    if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != std::string::npos)
      return std::nullopt;
    step = std::stoi(text);
    if (step == 0) return std::nullopt;
  }
  int from = rule.least;
  int to = rule.most;
  if (parts[0] != "*" && parts[0] != "?") {
    const auto ends = split(parts[0], "-");
    const auto first = valueIn(ends[0], rule);
    if (ends.size() > 2 || !first) return std::nullopt;
    from = *first;
    if (ends.size() == 2) {
      const auto last = valueIn(ends[1], rule);
      if (!last || *last < from) return std::nullopt;
      to = *last;
    } else if (parts.size() == 1) {
      to = from;
    }
  }
  std::uint64_t bits = 0;
  for (int value = from; value <= to; value += step) bits |= std::uint64_t{1} << static_cast<unsigned>(value);
  return bits;
}

Result<std::uint64_t> bitsOf(const std::string& field, const FieldRule& rule) {
  std::uint64_t bits = 0;
  for (const auto& item : split(field, ",")) {
    const auto more = bitsOfItem(item, rule);
    if (!more)
      return makeError(Errc::badRequest, std::string("the ") + rule.name + " \"" + field + "\" cannot be read");
    bits |= *more;
  }
  return bits;
}

std::string spelledOut(std::string_view text) {
  std::string lower;
  for (const unsigned char c : text) lower += static_cast<char>(std::tolower(c));
  const std::array<std::pair<std::string_view, std::string_view>, 7> names{{{"@yearly", "0 0 1 1 *"},
                                                                            {"@annually", "0 0 1 1 *"},
                                                                            {"@monthly", "0 0 1 * *"},
                                                                            {"@weekly", "0 0 * * 0"},
                                                                            {"@daily", "0 0 * * *"},
                                                                            {"@midnight", "0 0 * * *"},
                                                                            {"@hourly", "0 * * * *"}}};
  for (const auto& [name, fields] : names)
    if (lower == name) return std::string(fields);
  return lower;
}

bool has(std::uint64_t bits, std::int64_t value) { return (bits >> static_cast<unsigned>(value) & 1U) != 0; }

std::int64_t floorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::int64_t minuteOf(Time t) { return std::chrono::floor<minutes>(t.time_since_epoch()).count(); }

std::int64_t localMinute(std::int64_t minute, const TimeZone& zone) {
  return minute + floorDiv(zone.offsetAt(Time(minutes(minute))), 60);
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  std::vector<std::string> fields;
  for (auto& field : split(spelledOut(text), " \t"))
    if (!field.empty()) fields.push_back(std::move(field));
  if (fields.size() != 5)
    return makeError(Errc::badRequest, "a schedule has five fields (minute hour day month weekday), this one has " +
                                           std::to_string(fields.size()));
  CronSchedule out;
  std::uint64_t* const into[] = {&out.minutes_, &out.hours_, &out.days_, &out.months_, &out.weekdays_};
  for (std::size_t i = 0; i < 5; ++i) {
    STEER_TRY(*into[i], bitsOf(fields[i], fieldRules()[i]));
  }
  if (has(out.weekdays_, 7)) out.weekdays_ |= 1U;  // both are Sunday
  out.anyDay_ = fields[2].starts_with("*") || fields[2] == "?";
  out.anyWeekday_ = fields[4].starts_with("*") || fields[4] == "?";
  return out;
}

bool CronSchedule::fitsDay(std::int64_t localDay) const {
  const std::chrono::sys_days day{std::chrono::days(localDay)};
  const std::chrono::year_month_day date(day);
  if (!has(months_, static_cast<unsigned>(date.month()))) return false;
  const bool byDate = has(days_, static_cast<unsigned>(date.day()));
  const bool byWeekday = has(weekdays_, std::chrono::weekday(day).c_encoding());
  return anyDay_ || anyWeekday_ ? byDate && byWeekday : byDate || byWeekday;
}

bool CronSchedule::fitsMinute(std::int64_t local) const {
  const auto inDay = local - floorDiv(local, kDay) * kDay;
  return has(hours_, inDay / 60) && has(minutes_, inDay % 60);
}

std::optional<Time> CronSchedule::next(Time after, const TimeZone& zone) const {
  const auto first = minuteOf(after) + 1;
  for (auto minute = first; minute < first + kFarthest;) {
    const auto local = localMinute(minute, zone);
    const auto day = floorDiv(local, kDay);
    if (fitsDay(day)) {
      if (fitsMinute(local)) return Time(minutes(minute));
      ++minute;
    } else {
      // Not to the very end of the day: the clocks may be put forward in between.
      const auto left = (day + 1) * kDay - local;
      minute += left > 180 ? left - 120 : 1;
    }
  }
  return std::nullopt;
}

std::optional<Time> CronSchedule::latest(Time at, Time notBefore, const TimeZone& zone) const {
  const auto last = minuteOf(notBefore);
  for (auto minute = minuteOf(at); Time(minutes(minute)) > notBefore && minute >= last;) {
    const auto local = localMinute(minute, zone);
    const auto day = floorDiv(local, kDay);
    if (fitsDay(day)) {
      if (fitsMinute(local)) return Time(minutes(minute));
      --minute;
    } else {
      const auto passed = local - day * kDay;
      minute -= passed > 180 ? passed - 120 : 1;
    }
  }
  return std::nullopt;
}

}  // namespace steer
