#pragma once
// Kubernetes resource quantities with exact arithmetic. A value is an integer number of
// nano-units in 128 bits; finer input rounds up, as Kubernetes does. Thread rule: plain values.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"

namespace steer {

class Quantity {
 public:
  enum class Format { decimalSi, binarySi, decimalExponent };

  Quantity() = default;
  static Result<Quantity> parse(std::string_view text);
  /// A JSON string or number, as quantities appear in manifests.
  static Result<Quantity> fromJson(const json::value& v);
  static Quantity ofUnits(std::int64_t units);
  static Quantity ofMilli(std::int64_t milli);

  /// Rounded up, saturating at the int64 range.
  std::int64_t milli() const;
  std::int64_t units() const;
  bool isZero() const { return nano_ == 0; }
  Format format() const { return format_; }
  /// Canonical form: "100m", "1536Mi", "2", "1e3".
  std::string text() const;

  Quantity& operator+=(const Quantity& o);
  Quantity& operator-=(const Quantity& o);
  friend Quantity operator+(Quantity a, const Quantity& b) { return a += b; }
  friend Quantity operator-(Quantity a, const Quantity& b) { return a -= b; }
  std::strong_ordering operator<=>(const Quantity& o) const { return nano_ <=> o.nano_; }
  bool operator==(const Quantity& o) const { return nano_ == o.nano_; }

 private:
  __extension__ typedef __int128 Int128;
  Int128 nano_ = 0;
  Format format_ = Format::decimalSi;
};

}  // namespace steer
