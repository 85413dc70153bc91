#include "core/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "core/base64.h"
#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

template <std::size_t N>
bool isOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool isNull(std::string_view t) {
  static constexpr std::array<std::string_view, 5> kWords{"", "~", "null", "Null", "NULL"};
  return isOneOf(t, kWords);
}

std::optional<bool> asBool(std::string_view t) {
  static constexpr std::array<std::string_view, 11> kTrue{"true", "True", "TRUE", "yes", "Yes", "YES",
                                                          "on",   "On",   "ON",   "y",   "Y"};
  static constexpr std::array<std::string_view, 11> kFalse{"false", "False", "FALSE", "no", "No", "NO",
                                                           "off",   "Off",   "OFF",   "n",  "N"};
  if (t.size() > 5) return std::nullopt;
  if (isOneOf(t, kTrue)) return true;
  if (isOneOf(t, kFalse)) return false;
  return std::nullopt;
}

bool isNotFinite(std::string_view t) {
  static constexpr std::array<std::string_view, 12> kWords{".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                                           "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
  return isOneOf(t, kWords);
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// [sign] prefix digits; 0x, 0o, 0b, a leading zero for octal, else decimal.
std::optional<json::value> asInteger(std::string_view t) {
  bool negative = false;
  if (!t.empty() && (t[0] == '+' || t[0] == '-')) {
    negative = t[0] == '-';
    t.remove_prefix(1);
  }
  int base = 10;
  if (t.size() > 1 && t[0] == '0') {
    const char c = t[1];
    base = c == 'x' || c == 'X' ? 16 : c == 'b' || c == 'B' ? 2 : 8;
    t.remove_prefix(isDigit(c) ? 1 : 2);
    if (!isDigit(c) && base == 8 && c != 'o' && c != 'O') return std::nullopt;
  }
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), n, base);
  if (t.empty() || ec != std::errc{} || end != t.data() + t.size()) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!negative) return n <= kMax ? json::value(static_cast<std::int64_t>(n)) : json::value(n);
  if (n > kMax + 1) return std::nullopt;
  return json::value(static_cast<std::int64_t>(0 - n));
}

// [-+]? ( .digits | digits [. digits*] ) ( [eE] [-+]? digits )?
bool looksLikeFloat(std::string_view t) {
  auto digits = [&t] {
    const auto n = std::min(t.find_first_not_of("0123456789"), t.size());
    t.remove_prefix(n);
    return n != 0;
  };
  if (!t.empty() && (t[0] == '+' || t[0] == '-')) t.remove_prefix(1);
  const bool whole = digits();
  if (!t.empty() && t[0] == '.') {
    t.remove_prefix(1);
    if (!digits() && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (t.empty()) return true;
  if (t[0] != 'e' && t[0] != 'E') return false;
  t.remove_prefix(1);
  if (!t.empty() && (t[0] == '+' || t[0] == '-')) t.remove_prefix(1);
  return digits() && t.empty();
}

std::optional<json::value> asFloat(std::string_view t) {
  if (!looksLikeFloat(t)) return std::nullopt;
  if (t[0] == '+') t.remove_prefix(1);
  double d = 0;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), d);
  if (ec == std::errc::result_out_of_range || !std::isfinite(d)) return std::nullopt;
  if (std::trunc(d) == d && std::abs(d) < 9.2e18) return json::value(static_cast<std::int64_t>(d));
  return json::value(d);
}

std::optional<json::value> asNumber(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '.') return asFloat(text);
  if (!isDigit(text[0]) && text[0] != '+' && text[0] != '-') return std::nullopt;
  std::string plain;
  if (text.find('_') != std::string_view::npos) {
    plain = text;
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    text = plain;
  }
  if (auto n = asInteger(text)) return n;
  return asFloat(text);
}

json::value asString(std::string_view text) { return json::value(json::string(jkey(text))); }

}  // namespace

Result<json::value> readPlainScalar(std::string_view text) {
  if (isNull(text)) return json::value(nullptr);
  if (const auto b = asBool(text)) return json::value(*b);
  if (isNotFinite(text))
    return makeError(Errc::invalid, std::string(text) + " has no form in JSON; quote it if a text is meant");
  if (auto n = asNumber(text)) return std::move(*n);
  return asString(text);
}

Result<json::value> readTaggedScalar(std::string_view tag, std::string_view text) {
  if (!tag.starts_with(kTagPrefix)) return makeError(Errc::invalid, "unknown tag " + std::string(tag) + "; remove it");
  const auto kind = tag.substr(kTagPrefix.size());
  const auto mismatch = [&] { return makeError(Errc::invalid, "the value does not read as !!" + std::string(kind)); };
  if (kind == "str" || kind == "timestamp") return asString(text);
  if (kind == "binary") {
    auto bytes = fromBase64(text);
    if (!bytes) return makeError(Errc::invalid, "!!binary needs base64");
    if (!isUtf8(*bytes))
      return makeError(
          Errc::invalid,
          "the decoded bytes are not text; leave out !!binary and keep the base64 where the field takes it");
    return asString(*bytes);
  }
  if (kind == "null") return isNull(text) ? Result<json::value>(json::value(nullptr)) : mismatch();
  if (kind == "bool") {
    const auto b = asBool(text);
    return b ? Result<json::value>(json::value(*b)) : mismatch();
  }
  if (kind == "int" || kind == "float") {
    auto n = asNumber(text);
    if (!n || (kind == "int" && n->is_double())) return mismatch();
    return std::move(*n);
  }
  return makeError(Errc::invalid, "unknown tag !!" + std::string(kind) + "; remove it");
}

}  // namespace steer
