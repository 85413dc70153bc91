#include "schemas/formats.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/duration.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t skipDigits(std::string_view s, std::size_t at) {
  while (at < s.size() && isDigit(s[at])) ++at;
  return at;
}

/// Length of a decimal number with an optional fraction at `at`; 0 when there is none.
std::size_t numberLength(std::string_view s, std::size_t at) {
  const auto whole = skipDigits(s, at);
  auto digits = whole - at;
  auto end = whole;
  if (end < s.size() && s[end] == '.') {
    end = skipDigits(s, end + 1);
    digits += end - whole - 1;
  }
  return digits == 0 ? 0 : end - at;
}

ScalarProblem wrongType(std::string_view expected, const json::value& v) {
  return {true, "expected " + std::string(expected) + ", found " + std::string(jsonTypeName(v))};
}

std::optional<ScalarProblem> checkInteger(const json::value& v, std::int64_t low, std::int64_t high) {
  if (!v.is_number()) return wrongType("integer", v);
  if (v.is_double()) return ScalarProblem{true, "expected integer, found number with a fraction"};
  const auto n = asInt(v);
  if (!n || *n < low || *n > high)
    return ScalarProblem{false,
                         "must be between " + std::to_string(low) + " and " + std::to_string(high) + ", inclusive"};
  return std::nullopt;
}

using TextCheck = bool (*)(std::string_view);

std::optional<ScalarProblem> checkText(const json::value& v, TextCheck check, const char* must) {
  if (!v.is_string()) return wrongType("string", v);
  if (!check(view(v.get_string()))) return ScalarProblem{false, must};
  return std::nullopt;
}

bool isTime(std::string_view text) { return parseTime(text).has_value(); }

}  // namespace

std::string_view jsonTypeName(const json::value& v) {
  if (v.is_string()) return "string";
  if (v.is_number()) return "number";
  if (v.is_bool()) return "boolean";
  if (v.is_object()) return "object";
  if (v.is_array()) return "array";
  return "null";
}

bool isQuantity(std::string_view s) {
  constexpr std::array<std::string_view, 15> kSuffixes{"",  "n", "u",  "m",  "k",  "M",  "G", "T",
                                                       "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"};
  std::size_t at = !s.empty() && (s[0] == '-' || s[0] == '+') ? 1 : 0;
  const auto length = numberLength(s, at);
  if (length == 0) return false;
  const auto suffix = s.substr(at + length);
  if (suffix == "Ei" || std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end()) return true;
  if (suffix[0] != 'e' && suffix[0] != 'E') return false;
  const std::size_t start = suffix.size() > 1 && (suffix[1] == '-' || suffix[1] == '+') ? 2 : 1;
  return start < suffix.size() && skipDigits(suffix, start) == suffix.size();
}

bool isDuration(std::string_view s) { return parseDuration(s).has_value(); }

bool isBase64(std::string_view s) {
  // Go's decoder ignores line ends, which long values in manifests have.
  std::size_t count = 0;
  std::size_t padding = 0;
  for (const char c : s) {
    if (c == '\n' || c == '\r') continue;
    ++count;
    if (c == '=') {
      ++padding;
      continue;
    }
    const bool known = isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
    if (!known || padding != 0) return false;
  }
  return count % 4 == 0 && padding <= 2;
}

std::size_t base64Size(std::string_view s) {
  const auto letters = static_cast<std::size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return c != '=' && c != '\n' && c != '\r'; }));
  return letters * 3 / 4;
}

std::optional<int> percentOf(std::string_view s) {
  if (s.size() < 2 || s.back() != '%') return std::nullopt;
  int n = 0;
  const auto* end = s.data() + s.size() - 1;
  const auto [stop, ec] = std::from_chars(s.data(), end, n);
  if (ec != std::errc{} || stop != end || n < 0) return std::nullopt;
  return n;
}

std::optional<ScalarProblem> checkScalar(Scalar scalar, const json::value& v) {
  using Limits32 = std::numeric_limits<std::int32_t>;
  using Limits64 = std::numeric_limits<std::int64_t>;
  switch (scalar) {
    case Scalar::string:
      return v.is_string() ? std::nullopt : std::optional(wrongType("string", v));
    case Scalar::int32:
      return checkInteger(v, Limits32::min(), Limits32::max());
    case Scalar::int64:
      return checkInteger(v, Limits64::min(), Limits64::max());
    case Scalar::number:
      return v.is_number() ? std::nullopt : std::optional(wrongType("number", v));
    case Scalar::boolean:
      return v.is_bool() ? std::nullopt : std::optional(wrongType("boolean", v));
    case Scalar::bytes:
      return checkText(v, isBase64, "must be base64-encoded");
    case Scalar::time:
    case Scalar::microTime:
      return checkText(v, isTime, "must be a time in RFC 3339 form, such as 2026-01-02T15:04:05Z");
    case Scalar::duration:
      return checkText(v, isDuration, "must be a duration such as 30s, 5m or 1h30m");
    case Scalar::quantity:
      if (v.is_number()) return std::nullopt;
      return checkText(v, isQuantity, "must be a quantity such as 500m, 1.5 or 128Mi");
    case Scalar::intOrString:
      if (v.is_string()) return std::nullopt;
      if (!v.is_number()) return wrongType("integer or string", v);
      return checkInteger(v, Limits32::min(), Limits32::max());
    case Scalar::rawObject:
      return v.is_object() ? std::nullopt : std::optional(wrongType("object", v));
    case Scalar::any:
    case Scalar::none:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace steer
