#include "render/steerignore.h"

#include <algorithm>

namespace steer {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (true) {
    const auto slash = path.find('/');
    out.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

// The class that begins at pattern[p] = '['; p is left behind its ']'. A class without an end is a
// plain '['.
bool matchesClass(std::string_view pattern, std::size_t& p, char c) {
  std::size_t i = p + 1;
  const bool inverted = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (inverted) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      p = i + 1;
      return found != inverted;
    }
    const char low = pattern[i];
    char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = pattern[i + 2];
      i += 2;
    }
    found = found || (low <= c && c <= high);
    ++i;
  }
  ++p;
  return c == '[';
}

// One path component; '*' tries again from its last place, so the time is at most the product.
bool matchesSegment(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
      continue;
    }
    std::size_t next = p;
    bool fits = false;
    if (p < pattern.size() && pattern[p] == '[') {
      fits = matchesClass(pattern, next, text[t]);
    } else if (p < pattern.size()) {
      const bool escaped = pattern[p] == '\\' && p + 1 < pattern.size();
      fits = (!escaped && pattern[p] == '?') || pattern[escaped ? p + 1 : p] == text[t];
      next = p + (escaped ? 2 : 1);
    }
    if (fits) {
      p = next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// The same walk over whole components; "**" stands for any number of them, a final one for at least one.
bool matchesPath(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string::npos;
  std::size_t retry = 0;
  while (t < path.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      if (p + 1 == pattern.size()) return true;
      star = p++;
      retry = t;
    } else if (p < pattern.size() && matchesSegment(pattern[p], path[t])) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

}  // namespace

IgnoreRules IgnoreRules::with(std::string_view base, std::string_view text) const {
  IgnoreRules out = *this;
  out.key_ += std::string(base) + '\0' + std::string(text) + '\0';
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    Rule rule;
    rule.base = base;
    if (line[0] == '!') {
      rule.takesBack = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.directoriesOnly = true;
      line.remove_suffix(1);
    }
    rule.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    rule.segments = split(line);
    out.rules_.push_back(std::move(rule));
  }
  return out;
}

bool IgnoreRules::ignores(std::string_view path, Entry entry) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directoriesOnly && entry != Entry::directory) continue;
    std::string_view below = path;
    if (!rule->base.empty()) {
      if (!path.starts_with(rule->base + "/")) continue;
      below.remove_prefix(rule->base.size() + 1);
    }
    const auto name = below.substr(below.rfind('/') + 1);
    const bool hit =
        rule->anchored ? matchesPath(rule->segments, split(below)) : matchesSegment(rule->segments[0], name);
    if (hit) return !rule->takesBack;
  }
  return false;
}

}  // namespace steer
