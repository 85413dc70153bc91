#pragma once
// Cron schedules of five fields (minute hour day-of-month month day-of-week), with `*`, lists, ranges,
// steps, names of months and days, and @hourly … @yearly. As in cron(5): when both day fields are
// restricted, a day that fits either fits. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time_zone.h"

namespace steer {

class CronSchedule {
 public:
  /// Errors: badRequest, naming the field.
  static Result<CronSchedule> parse(std::string_view text);

  /// The earliest fitting minute after `after`; nothing within five years.
  std::optional<Time> next(Time after, const TimeZone& zone) const;
  /// The latest fitting minute at or before `at` and after `notBefore`.
  std::optional<Time> latest(Time at, Time notBefore, const TimeZone& zone) const;

 private:
  bool fitsDay(std::int64_t localDay) const;
  bool fitsMinute(std::int64_t localMinute) const;

  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint64_t days_ = 0;
  std::uint64_t months_ = 0;
  std::uint64_t weekdays_ = 0;
  bool anyDay_ = false;
  bool anyWeekday_ = false;
};

}  // namespace steer
