#pragma once
// What changed between two texts, line by line. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace steer {

struct LineChange {
  enum class Kind { same, removed, added, skipped };
  Kind kind = Kind::same;
  std::string text{};  ///< without its end; skipped: how many lines are left out, "12 lines"
};

/// A shortest script of removed and added lines with `context` unchanged ones around each change; the rest of the
/// unchanged lines is counted. A missing newline at the end of one text is told as a line. Texts of very many lines
/// are told as removed and added as a whole from their first to their last difference.
std::vector<LineChange> lineDiff(std::string_view before, std::string_view after, std::size_t context = 2);

}  // namespace steer
