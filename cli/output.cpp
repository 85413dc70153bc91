#include "cli/output.h"

#include <algorithm>

#include "core/clock.h"
#include "core/rfc3339.h"
#include "core/yaml.h"

namespace steer::cli {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t widthOf(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string tableText(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& title : header) widths.push_back(widthOf(title));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
  std::string out;
  auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size()) text.append(widths[i] - widthOf(cells[i]) + 2, ' ');
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + "\n";
  };
  line(header);
  for (const auto& row : rows) line(row);
  return out;
}

std::string documentText(const json::value& v, const std::string& format) {
  return format == "yaml" ? yamlText(v) : jsonPretty(v) + "\n";
}

std::string ageText(std::string_view rfc3339) {
  const auto when = parseTime(rfc3339);
  if (!when) return "?";
  const auto s = std::chrono::duration_cast<seconds>(SystemClock().now() - *when).count();
  if (s < 120) return std::to_string(std::max<long>(0, s)) + "s";
  if (s < 2 * 3600) return std::to_string(s / 60) + "m";
  if (s < 2 * 86400) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

}  // namespace steer::cli
