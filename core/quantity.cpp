#include "core/quantity.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace steer {
namespace {

__extension__ typedef __int128 Int128;

constexpr Int128 kNano = 1'000'000'000;
constexpr std::int64_t kMaxUnits = std::numeric_limits<std::int64_t>::max();

Error malformed() {
  return makeError(
      Errc::invalid,
      "quantities are a number and an optional suffix: n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or "
      "an exponent such as e3; for example 100m, 1.5 or 256Mi");
}

struct Suffix {
  Quantity::Format format = Quantity::Format::decimalSi;
  std::int16_t exponent = 0;  // of ten, or of two for binarySi
};

bool readSuffix(std::string_view text, Suffix& out) {
  struct Row {
    std::string_view text;
    Quantity::Format format;
    std::int16_t exponent;
  };
  using enum Quantity::Format;
  static constexpr std::array<Row, 16> kRows{{{"", decimalSi, 0},
                                              {"n", decimalSi, -9},
                                              {"u", decimalSi, -6},
                                              {"m", decimalSi, -3},
                                              {"k", decimalSi, 3},
                                              {"M", decimalSi, 6},
                                              {"G", decimalSi, 9},
                                              {"T", decimalSi, 12},
                                              {"P", decimalSi, 15},
                                              {"E", decimalSi, 18},
                                              {"Ki", binarySi, 10},
                                              {"Mi", binarySi, 20},
                                              {"Gi", binarySi, 30},
                                              {"Ti", binarySi, 40},
                                              {"Pi", binarySi, 50},
                                              {"Ei", binarySi, 60}}};
  for (const auto& row : kRows) {
    if (row.text != text) continue;
    out = {row.format, row.exponent};
    return true;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
  text.remove_prefix(1);
  if (text[0] == '+') text.remove_prefix(1);
  if (text.empty() || text[0] == '+') return false;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.exponent);
  if (ec != std::errc{} || end != text.data() + text.size()) return false;
  out.format = Quantity::Format::decimalExponent;
  return true;
}

// Moves the decimal point of whole.fraction by `places`, dropping nothing but adding zeros at the ends.
void shiftPoint(std::string& whole, std::string& fraction, int places) {
  const std::string zeros(static_cast<std::size_t>(std::abs(places)), '0');
  if (places < 0) {
    const std::string padded = zeros + whole;
    fraction = padded.substr(whole.size()) + fraction;
    whole = padded.substr(0, whole.size());
  } else {
    const std::string padded = fraction + zeros;
    whole += padded.substr(0, zeros.size());
    fraction = padded.substr(zeros.size());
  }
}

// fraction (digits after the point) times factor; rounded up. Long multiplication from the right.
Int128 scaledFraction(const std::string& fraction, Int128 factor) {
  Int128 carry = 0;
  bool rest = false;
  for (auto i = fraction.size(); i-- > 0;) {
    const Int128 t = (fraction[i] - '0') * factor + carry;
    rest = rest || t % 10 != 0;
    carry = t / 10;
  }
  return carry + (rest ? 1 : 0);
}

// Non-negative value in nano-units, rounded up to a whole one and capped at 2^63-1 units.
Int128 toNano(std::string whole, std::string fraction, const Suffix& suffix) {
  const Int128 cap = kNano * kMaxUnits;
  Int128 binary = 1;
  if (suffix.format == Quantity::Format::binarySi) binary <<= suffix.exponent;
  else shiftPoint(whole, fraction, suffix.exponent);
  whole.erase(0, whole.find_first_not_of('0'));
  if (whole.size() > 19) return cap;
  Int128 units = 0;
  for (const char c : whole) units = units * 10 + (c - '0');
  if (units > kMaxUnits / binary) return cap;
  const Int128 nano = units * binary * kNano + scaledFraction(fraction, binary * kNano);
  return nano > cap ? cap : nano;
}

std::string digits(Int128 v) {
  if (v == 0) return "0";
  const bool negative = v < 0;
  std::string out;
  for (; v != 0; v /= 10)
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(negative ? -(v % 10) : v % 10)));
  return negative ? "-" + out : out;
}

Int128 divideAwayFromZero(Int128 v, Int128 by) {
  const Int128 q = v / by;
  if (v % by == 0) return q;
  return v < 0 ? q - 1 : q + 1;
}

std::int64_t saturated(Int128 v) {
  if (v > kMaxUnits) return kMaxUnits;
  if (v < std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(v);
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  if (text.size() > 512) return malformed();
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  auto takeDigits = [&text] {
    const auto n = std::min(text.find_first_not_of("0123456789"), text.size());
    std::string out(text.substr(0, n));
    text.remove_prefix(n);
    return out;
  };
  std::string whole = takeDigits();
  std::string fraction;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = takeDigits();
  }
  Suffix suffix;
  if (whole.empty() && fraction.empty()) return malformed();
  if (!readSuffix(text, suffix)) return malformed();
  Quantity out;
  out.nano_ = toNano(std::move(whole), std::move(fraction), suffix);
  out.format_ = suffix.format;
  // A binary suffix on less than one unit would only invite rounding.
  if (suffix.format == Format::binarySi && out.nano_ > 0 && out.nano_ < kNano) out.format_ = Format::decimalSi;
  if (negative) out.nano_ = -out.nano_;
  return out;
}

Result<Quantity> Quantity::fromJson(const json::value& v) {
  if (const auto* s = v.if_string()) return parse(view(*s));
  if (v.is_int64() || v.is_uint64() || v.is_double()) return parse(jsonText(v));
  return malformed();
}

Quantity Quantity::ofUnits(std::int64_t units) {
  Quantity out;
  out.nano_ = kNano * units;
  return out;
}

Quantity Quantity::ofMilli(std::int64_t milli) {
  Quantity out;
  out.nano_ = kNano / 1000 * milli;
  return out;
}

std::int64_t Quantity::milli() const { return saturated(divideAwayFromZero(nano_, kNano / 1000)); }
std::int64_t Quantity::units() const { return saturated(divideAwayFromZero(nano_, kNano)); }

std::string Quantity::text() const {
  if (nano_ == 0) return "0";
  const Int128 small = 1024 * kNano;
  if (format_ == Format::binarySi && (nano_ >= small || nano_ <= -small)) {
    static constexpr std::array<const char*, 7> kSuffixes{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    Int128 v = divideAwayFromZero(nano_, kNano);
    std::size_t power = 0;
    for (; power + 1 < kSuffixes.size() && v % 1024 == 0; ++power) v /= 1024;
    return digits(v) + kSuffixes[power];
  }
  static constexpr std::array<const char*, 10> kSuffixes{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  Int128 v = nano_;
  std::size_t power = 0;
  for (; power + 1 < kSuffixes.size() && v % 1000 == 0; ++power) v /= 1000;
  if (format_ != Format::decimalExponent) return digits(v) + kSuffixes[power];
  const int exponent = 3 * static_cast<int>(power) - 9;
  return exponent == 0 ? digits(v) : digits(v) + "e" + std::to_string(exponent);
}

Quantity& Quantity::operator+=(const Quantity& o) {
  if (nano_ == 0) format_ = o.format_;
  nano_ += o.nano_;
  return *this;
}

Quantity& Quantity::operator-=(const Quantity& o) {
  if (nano_ == 0) format_ = o.format_;
  nano_ -= o.nano_;
  return *this;
}

}  // namespace steer
