#include "core/time_zone.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace steer {
namespace {

constexpr std::size_t kHeader = 44;
constexpr const char* kZones = "/usr/share/zoneinfo/";

std::int64_t bigEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = (static_cast<unsigned char>(bytes[at]) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  return static_cast<std::int64_t>(value);
}

/// Counts of one block of a TZif file, in the header's order.
struct Counts {
  std::size_t isut = 0;
  std::size_t isstd = 0;
  std::size_t leap = 0;
  std::size_t time = 0;
  std::size_t type = 0;
  std::size_t chars = 0;

  std::size_t blockSize(std::size_t timeSize) const {
    return time * timeSize + time + type * 6 + chars + leap * (timeSize + 4) + isstd + isut;
  }
};

bool readCounts(std::string_view bytes, std::size_t at, Counts& out) {
  if (bytes.size() < at + kHeader || bytes.substr(at, 4) != "TZif") return false;
  std::size_t* const fields[] = {&out.isut, &out.isstd, &out.leap, &out.time, &out.type, &out.chars};
  for (std::size_t i = 0; i < 6; ++i) {
    const auto n = bigEndian(bytes, at + 20 + 4 * i, 4);
    if (n < 0 || n > 100'000) return false;
    *fields[i] = static_cast<std::size_t>(n);
  }
  return out.type > 0;
}

bool isZoneName(const std::string& name) {
  if (name.size() > 100 || name.front() == '/' || name.find("..") != std::string::npos) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '_' || c == '-' || c == '+';
  });
}

}  // namespace

Result<TimeZone> TimeZone::load(const std::string& name) {
  if (name.empty() || name == "UTC" || name == "Etc/UTC") return utc();
  if (!isZoneName(name)) return makeError(Errc::badRequest, "\"" + name + "\" is no name of a time zone");
  std::ifstream in(kZones + name, std::ios::binary);
  if (!in) return makeError(Errc::notFound, "this machine knows no time zone \"" + name + "\"");
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return parse(bytes);
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  const auto bad = [] { return makeError(Errc::invalid, "the file is no time zone"); };
  Counts counts;
  std::size_t at = 0;
  std::size_t timeSize = 4;
  if (!readCounts(bytes, at, counts)) return bad();
  if (bytes[4] >= '2') {
    // The first block is for readers of 32 bits; the real one follows it.
    at = kHeader + counts.blockSize(4);
    timeSize = 8;
    if (!readCounts(bytes, at, counts)) return bad();
  }
  at += kHeader;
  if (bytes.size() < at + counts.blockSize(timeSize)) return bad();
  const std::size_t indexes = at + counts.time * timeSize;
  const std::size_t types = indexes + counts.time;
  const auto offsetOf = [&](std::size_t type) { return bigEndian(bytes, types + 6 * type, 4); };
  TimeZone out;
  out.first_ = offsetOf(0);
  for (std::size_t i = 0; i < counts.time; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indexes + i]);
    if (type >= counts.type) return bad();
    out.changes_.push_back({bigEndian(bytes, at + i * timeSize, timeSize), offsetOf(type)});
  }
  return out;
}

std::int64_t TimeZone::offsetAt(Time at) const {
  const auto second = std::chrono::floor<seconds>(at.time_since_epoch()).count();
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), second,
                                      [](std::int64_t value, const Change& change) { return value < change.at; });
  return after == changes_.begin() ? first_ : std::prev(after)->offset;
}

}  // namespace steer
