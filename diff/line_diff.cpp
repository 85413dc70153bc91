#include "diff/line_diff.h"

#include <algorithm>
#include <cstdint>

namespace steer {
namespace {

using Kind = LineChange::Kind;
constexpr std::size_t kMostCells = 4'000'000;  ///< of the table: two texts of 2,000 changed lines
constexpr std::string_view kNoEnd = "\\ no newline at the end";

std::vector<std::string_view> linesOf(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      out.push_back(kNoEnd);
      break;
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

class Script {
 public:
  using Lines = std::vector<std::string_view>;

  std::vector<LineChange> of(const Lines& a, const Lines& b) {
    std::size_t head = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    std::size_t tail = 0;
    while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    for (std::size_t i = 0; i < head; ++i) put(Kind::same, a[i]);
    middle({a.begin() + at(head), a.end() - at(tail)}, {b.begin() + at(head), b.end() - at(tail)});
    for (std::size_t i = a.size() - tail; i < a.size(); ++i) put(Kind::same, a[i]);
    return std::move(out_);
  }

 private:
  static std::ptrdiff_t at(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }
  void put(Kind kind, std::string_view line) { out_.push_back({kind, std::string(line)}); }

  /// Longest common subsequence.
  void middle(const Lines& a, const Lines& b) {
    const std::size_t width = b.size() + 1;
    std::vector<std::uint32_t> longest;
    const bool small = a.empty() || b.size() <= kMostCells / a.size();
    if (small) longest.assign((a.size() + 1) * width, 0);
    for (std::size_t i = a.size(); small && i-- > 0;)
      for (std::size_t j = b.size(); j-- > 0;)
        longest[i * width + j] = a[i] == b[j] ? longest[(i + 1) * width + j + 1] + 1
                                              : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() || j < b.size()) {
      if (small && i < a.size() && j < b.size() && a[i] == b[j]) {
        put(Kind::same, a[i]);
        ++i;
        ++j;
      } else if (i < a.size() &&
                 (j == b.size() || !small || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
        put(Kind::removed, a[i++]);
      } else {
        put(Kind::added, b[j++]);
      }
    }
  }

  std::vector<LineChange> out_;
};

}  // namespace

std::vector<LineChange> lineDiff(std::string_view before, std::string_view after, std::size_t context) {
  const auto all = Script().of(linesOf(before), linesOf(after));
  std::vector<bool> shown(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == Kind::same) continue;
    for (std::size_t k = i - std::min(i, context); k < std::min(all.size(), i + context + 1); ++k) shown[k] = true;
  }
  std::vector<LineChange> out;
  for (std::size_t i = 0; i < all.size();) {
    if (shown[i]) {
      out.push_back(all[i++]);
      continue;
    }
    const auto first = i;
    while (i < all.size() && !shown[i]) ++i;
    out.push_back({Kind::skipped, std::to_string(i - first) + (i - first == 1 ? " line" : " lines")});
  }
  return out;
}

}  // namespace steer
