#include "reconciler/git/semver.h"

#include <algorithm>
#include <charconv>

namespace steer {
namespace {

/// A version with parts left out: "1", "1.2", "1.x", "*".
struct Partial {
  Version version;
  int given = 0;  ///< how many of the three numbers are said
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find(at, from), text.size());
    out.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool isIdentifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool isWildcard(std::string_view text) { return text == "x" || text == "X" || text == "*"; }

std::optional<Partial> parsePartial(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  text = text.substr(0, text.find('+'));
  Partial out;
  const auto dash = text.find('-');
  if (dash != std::string_view::npos) {
    out.version.prerelease = split(text.substr(dash + 1), '.');
    if (!std::all_of(out.version.prerelease.begin(), out.version.prerelease.end(), isIdentifier)) return std::nullopt;
  }
  const auto parts = split(text.substr(0, dash), '.');
  if (parts.size() > 3) return std::nullopt;
  std::uint64_t* const fields[] = {&out.version.major, &out.version.minor, &out.version.patch};
  bool open = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (isWildcard(parts[i])) {
      open = true;
      continue;
    }
    const auto n = number(parts[i]);
    if (!n || open) return std::nullopt;
    *fields[i] = *n;
    out.given = static_cast<int>(i) + 1;
  }
  if (!out.version.prerelease.empty() && out.given < 3) return std::nullopt;
  return out;
}

/// The first version above everything that begins with the first `kept` numbers.
Version after(const Version& v, int kept) {
  if (kept <= 1) return {v.major + 1, 0, 0, {}};
  if (kept == 2) return {v.major, v.minor + 1, 0, {}};
  return {v.major, v.minor, v.patch + 1, {}};
}

int compareIdentifiers(const std::string& a, const std::string& b) {
  const auto x = number(a);
  const auto y = number(b);
  if (x && y) return *x < *y ? -1 : (*x > *y ? 1 : 0);
  if (x || y) return x ? -1 : 1;  // numbers come before words
  return a.compare(b);
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  const auto partial = parsePartial(text);
  if (!partial || partial->given != 3) return std::nullopt;
  return partial->version;
}

int Version::compare(const Version& other) const {
  for (const auto& [a, b] : {std::pair{major, other.major}, {minor, other.minor}, {patch, other.patch}})
    if (a != b) return a < b ? -1 : 1;
  if (prerelease.empty() || other.prerelease.empty())
    return static_cast<int>(prerelease.empty()) - static_cast<int>(other.prerelease.empty());
  for (std::size_t i = 0; i < std::min(prerelease.size(), other.prerelease.size()); ++i)
    if (const int c = compareIdentifiers(prerelease[i], other.prerelease[i]); c != 0) return c;
  return prerelease.size() < other.prerelease.size() ? -1 : (prerelease.size() > other.prerelease.size() ? 1 : 0);
}

Result<void> VersionRange::addTerm(const std::string& term, All& out) {
  using Op = Comparison::Op;
  const auto end = std::min(term.find_first_not_of("<>=!~^"), term.size());
  const std::string op = term.substr(0, end);
  const auto partial = parsePartial(std::string_view(term).substr(end));
  if (!partial)
    return makeError(Errc::badRequest, "\"" + term + "\" is no version such as 1.2.3, >=1.2, ~1.4, ^1.2 or 1.x");
  const Version& v = partial->version;
  const int given = partial->given;
  const auto within = [&](const Version& end_) {
    out.push_back({Op::moreOrEqual, v});
    out.push_back({Op::less, end_});
  };
  const bool exact = given == 3;
  if (op == ">" && !exact) out.push_back({Op::moreOrEqual, given == 0 ? Version{~0ULL, 0, 0, {}} : after(v, given)});
  else if (op == ">") out.push_back({Op::more, v});
  else if (op == ">=" || op == "=>") out.push_back({Op::moreOrEqual, v});
  else if (op == "<") out.push_back({Op::less, v});
  else if (op == "<=" || op == "=<") {
    if (exact) out.push_back({Op::lessOrEqual, v});
    else if (given != 0) out.push_back({Op::less, after(v, given)});
  } else if (op == "!=" && exact) out.push_back({Op::notEqual, v});
  else if (op == "~" || op == "~>") {
    if (given == 0) out.push_back({Op::moreOrEqual, {}});
    else within(after(v, std::min(given, 2)));
  } else if (op == "^") {
    if (given == 0) out.push_back({Op::moreOrEqual, {}});
    else within(after(v, v.major != 0 || given == 1 ? 1 : (v.minor != 0 || given == 2 ? 2 : 3)));
  } else if (op.empty() || op == "=") {
    if (exact) out.push_back({Op::equal, v});
    else if (given == 0) out.push_back({Op::moreOrEqual, {}});
    else within(after(v, given));
  } else {
    return makeError(Errc::badRequest, "\"" + term + "\": \"" + op + "\" is no comparison that versions know here");
  }
  return {};
}

Result<VersionRange::All> VersionRange::parseAll(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::vector<std::string> words;
  for (auto& word : split(spaced, ' ')) {
    if (word.empty()) continue;
    // ">= 1.2" is one term.
    if (!words.empty() && words.back().find_first_not_of("<>=!~^") == std::string::npos) words.back() += word;
    else words.push_back(std::move(word));
  }
  All out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i + 2 < words.size() && words[i + 1] == "-") {
      STEER_CHECK(addTerm(">=" + words[i], out));
      STEER_CHECK(addTerm("<=" + words[i + 2], out));
      i += 2;
    } else {
      STEER_CHECK(addTerm(words[i], out));
    }
  }
  if (out.empty()) return makeError(Errc::badRequest, "a range of versions is empty");
  return out;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
  VersionRange out;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find("||", from), text.size());
    STEER_TRY(All all, parseAll(text.substr(from, to - from)));
    out.any_.push_back(std::move(all));
    from = to + 2;
  }
  return out;
}

bool VersionRange::contains(const Version& version) const {
  using Op = Comparison::Op;
  return std::any_of(any_.begin(), any_.end(), [&](const All& all) {
    const bool fits = std::all_of(all.begin(), all.end(), [&](const Comparison& c) {
      const int order = version.compare(c.version);
      switch (c.op) {
        case Op::equal:
          return order == 0;
        case Op::notEqual:
          return order != 0;
        case Op::less:
          return order < 0;
        case Op::lessOrEqual:
          return order <= 0;
        case Op::more:
          return order > 0;
        case Op::moreOrEqual:
          return order >= 0;
      }
      return false;
    });
    if (!fits || version.prerelease.empty()) return fits;
    return std::any_of(all.begin(), all.end(), [&](const Comparison& c) {
      return !c.version.prerelease.empty() && c.version.major == version.major && c.version.minor == version.minor &&
             c.version.patch == version.patch;
    });
  });
}

std::optional<std::string> VersionRange::newest(const std::vector<std::string>& names) const {
  std::optional<std::string> out;
  Version best;
  for (const auto& name : names) {
    const auto version = Version::parse(name);
    if (!version || !contains(*version)) continue;
    const int order = out ? version->compare(best) : 1;
    if (order < 0 || (order == 0 && name < *out)) continue;
    best = *version;
    out = name;
  }
  return out;
}

}  // namespace steer
