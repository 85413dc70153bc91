#pragma once
// TimeZone: an IANA time zone, read from the machine's TZif files (RFC 8536). Thread rule: immutable
// after reading. Failure rule: a zone that is not there, or a damaged file, is an error.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace steer {

class TimeZone {
 public:
  static TimeZone utc() { return {}; }
  /// "Europe/Berlin"; "" and "UTC" need no file. Errors: notFound, badRequest (no name of a zone), io.
  static Result<TimeZone> load(const std::string& name);
  /// The content of a TZif file. Errors: invalid.
  static Result<TimeZone> parse(std::string_view bytes);

  /// Seconds east of Greenwich at that time.
  std::int64_t offsetAt(Time at) const;

 private:
  struct Change {
    std::int64_t at = 0;  ///< seconds since 1970
    std::int64_t offset = 0;
  };
  std::int64_t first_ = 0;  ///< before any change
  std::vector<Change> changes_;
};

}  // namespace steer
