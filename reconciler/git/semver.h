#pragma once
// Semantic versions and ranges of them, as package managers and other GitOps tools read them. Pure.
// Source: semver.org 2.0.0, section 11 for the order.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace steer {

struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::vector<std::string> prerelease{};

  /// "1.2.3", "v1.2.3-rc.1+build"; nothing for other texts.
  static std::optional<Version> parse(std::string_view text);
  /// Below, equal or above zero; build metadata does not count.
  int compare(const Version& other) const;
};

/// "1.2.3", ">=1.2 <2", "~1.4", "^0.3", "1.x", "*", "1.2 - 1.4", and several of them with "||".
class VersionRange {
 public:
  /// Errors: badRequest, naming the part that cannot be read.
  static Result<VersionRange> parse(std::string_view text);
  /// A prerelease fits only when the range names a prerelease of the same version numbers.
  bool contains(const Version& version) const;
  /// The name of the newest version that fits; of equal ones the last by name. Names that are no
  /// versions are left out.
  std::optional<std::string> newest(const std::vector<std::string>& names) const;

 private:
  struct Comparison {
    enum class Op { equal, notEqual, less, lessOrEqual, more, moreOrEqual } op;
    Version version;
  };
  using All = std::vector<Comparison>;
  static Result<All> parseAll(std::string_view text);
  static Result<void> addTerm(const std::string& term, All& out);
  std::vector<All> any_;
};

}  // namespace steer
