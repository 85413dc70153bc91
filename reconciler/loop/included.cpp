#include "reconciler/loop/included.h"

#include <algorithm>

namespace steer {
namespace {

using Names = std::vector<std::string_view>;

Names namesOf(std::string_view path) {
  Names out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (const auto name = path.substr(0, end); !name.empty() && name != ".") out.push_back(name);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

/// * and ? within one name; as long as pattern times name at worst.
bool nameMatches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0;
  std::size_t star = std::string_view::npos, back = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      back = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++back;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

/// Whether the pattern names the path or a directory above it. Every pair of places is looked at once.
bool pathMatches(const Names& pattern, const Names& path) {
  std::vector<char> reached(path.size() + 1,
                            0);  // after the pattern's first names: how much of the path may be used up
  reached[0] = 1;
  for (const auto& name : pattern) {
    std::vector<char> next(path.size() + 1, 0);
    for (std::size_t i = 0; i <= path.size(); ++i) {
      if (name == "**") {
        next[i] = static_cast<char>(reached[i] != 0 || (i > 0 && next[i - 1] != 0));
      } else if (i > 0 && reached[i - 1] != 0 && nameMatches(name, path[i - 1])) {
        next[i] = 1;
      }
    }
    reached = std::move(next);
  }
  return std::any_of(reached.begin(), reached.end(), [](char r) { return r != 0; });
}

bool takesAway(std::string_view pattern) { return pattern.starts_with("!"); }

}  // namespace

std::string includeProblem(std::string_view pattern) {
  if (takesAway(pattern)) pattern.remove_prefix(1);
  if (pattern.empty()) return "names nothing";
  if (pattern.starts_with("/")) return "must not begin with a slash: it is read from the root of the source";
  if (pattern.find('\\') != std::string_view::npos) return "holds a backslash; directories are parted by /";
  for (const auto name : namesOf(pattern)) {
    if (name == "..") return "leaves the source with ..";
    if (name.find("**") != std::string_view::npos && name != "**")
      return "has ** inside a name; it stands alone, as in a/**/b";
    if (name.find_first_of("[]{}") != std::string_view::npos)
      return "holds one of []{}; only *, ** and ? have a meaning";
  }
  return "";
}

bool isIncluded(std::string_view file, const std::vector<std::string>& patterns) {
  const auto path = namesOf(file);
  bool named = false, anyNames = false;
  for (const auto& text : patterns) {
    const bool away = takesAway(text);
    anyNames = anyNames || !away;
    if (!includeProblem(text).empty()) continue;
    const auto pattern = namesOf(std::string_view(text).substr(away ? 1 : 0));
    if (!pathMatches(pattern, path)) continue;
    if (away) return false;
    named = true;
  }
  return named || !anyNames;
}

void keepIncluded(Rendered& all, const std::vector<std::string>& patterns,
                  const std::function<std::string(const std::string& file)>& inSource) {
  if (patterns.empty()) return;
  const auto included = [&](const std::string& file) { return isIncluded(inSource ? inSource(file) : file, patterns); };
  const auto other = [&](const WantedObject& w) { return !included(w.source.file); };
  std::erase_if(all.objects, other);
  if (all.delta) std::erase_if(all.delta->changed, other);
  Diagnostics kept;
  for (const auto& finding : all.findings.items())
    if (finding.pos.file.empty() || included(finding.pos.file)) kept.add(finding);
  all.findings = std::move(kept);
}

Renderer onlyIncluded(Renderer renderer, std::vector<std::string> patterns) {
  if (patterns.empty()) return renderer;
  return [renderer = std::move(renderer), patterns = std::move(patterns)](TreeReader& reader, const std::string& tree) {
    Rendered all = renderer(reader, tree);
    keepIncluded(all, patterns);
    return all;
  };
}

}  // namespace steer
