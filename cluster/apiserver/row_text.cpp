#include "cluster/apiserver/row_text.h"

#include <algorithm>

#include "core/rfc3339.h"
#include "core/selector.h"

namespace steer {
namespace {

std::string joined(const json::object& podSpec, std::string_view field) {
  std::string out;
  for (const auto& container : arrayAt(podSpec, {"containers"})) {
    if (!out.empty()) out += ',';
    out += stringAt(container, {field});
  }
  return out;
}

}  // namespace

std::string durationText(Duration d) {
  const std::int64_t s = std::max<std::int64_t>(0, std::chrono::duration_cast<seconds>(d).count());
  const auto two = [](std::int64_t big, char unit, std::int64_t small, char smallUnit) {
    std::string out = std::to_string(big) + unit;
    if (small > 0) out += std::to_string(small) + smallUnit;
    return out;
  };
  if (s < 120) return std::to_string(s) + "s";
  if (s < 600) return two(s / 60, 'm', s % 60, 's');
  if (s < 3 * 3600) return std::to_string(s / 60) + "m";
  if (s < 8 * 3600) return two(s / 3600, 'h', s / 60 % 60, 'm');
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  if (s < 8 * 86400) return two(s / 86400, 'd', s / 3600 % 24, 'h');
  if (s < 2 * 365 * 86400) return std::to_string(s / 86400) + "d";
  return two(s / (365 * 86400), 'y', s / 86400 % 365, 'd');
}

std::string ageText(const Object& object, Time now) {
  const auto created = object.created();
  return created ? durationText(now - *created) : "<unknown>";
}

std::string ageText(std::string_view since, Time now) {
  const auto time = parseTime(since);
  return time ? durationText(now - *time) : "<unknown>";
}

std::string mapText(const json::object& map) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : map) {
    std::string part(key);
    part += '=';
    if (const auto* s = value.if_string()) part += view(*s);
    parts.push_back(std::move(part));
  }
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ",") + part;
  return orNone(std::move(out));
}

std::string selectorText(const json::value* selector) {
  auto parsed = LabelSelector::fromObject(selector);
  return parsed.ok() && selector != nullptr ? orNone(parsed->text()) : "<none>";
}

std::string containerNames(const json::object& podSpec) { return joined(podSpec, "name"); }
std::string containerImages(const json::object& podSpec) { return joined(podSpec, "image"); }

}  // namespace steer
