#include <algorithm>
#include <cstdio>

#include "reconciler/plan/report.h"

namespace steer {
namespace {

/// Code point at i and its length; malformed bytes stand for themselves.
std::pair<unsigned, std::size_t> codePoint(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned first = byte(i);
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length == 1 || i + length > text.size()) return {first, 1};
  unsigned value = first & (0xFFU >> (length + 1));
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return {first, 1};
    value = (value << 6U) | (byte(i + k) & 0x3FU);
  }
  return {value, length};
}

bool hidden(unsigned c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2069) || c == 0xFEFF;
}

class TextWriter {
 public:
  explicit TextWriter(const ReportTextOptions& options) : options_(options) {}

  std::string write(const Report& report) {
    std::string notes;
    for (const auto& note : report.notes) notes += "# " + visible(note) + "\n";
    if (!report.nothing.empty()) return notes + visible(report.nothing) + "\n";
    for (const auto& section : report.sections) {
      if (section.groups.empty() && section.unchanged.empty()) continue;
      if (report.sections.size() > 1) out_ += paint(Mark::plain, section.title) + "\n";
      for (const auto& group : section.groups) {
        out_ += visible(group.title) + "\n";
        for (const auto& item : group.items) write(item);
        out_ += "\n";
      }
      for (const auto& warning : section.warnings) out_ += paint(Mark::remove, "! " + warning) + "\n\n";
      for (const auto& remark : section.remarks) out_ += visible(remark) + "\n\n";
      if (!section.unchanged.empty()) out_ += std::to_string(section.unchanged.size()) + " unchanged\n\n";
    }
    out_ += notes + visible(report.headline) + "\n";
    for (const auto& line : report.footer) out_ += visible(line) + "\n";
    return std::move(out_);
  }

 private:
  std::string paint(Mark mark, const std::string& text) const {
    return options_.paint ? options_.paint(mark, visible(text)) : visible(text);
  }

  void write(const ReportItem& item) {
    out_ += "  " + paint(item.mark, item.sign + " " + item.name);
    if (!item.remark.empty()) out_ += "  # " + visible(item.remark);
    if (!item.place.empty()) out_ += "  (" + visible(item.place) + ")";
    out_ += "\n";
    for (const auto& problem : item.problems) out_ += "      " + paint(Mark::remove, "! " + problem) + "\n";
    TextOptions text;
    text.indent = "      ";
    text.paint = [this](Mark mark, const std::string& line) { return paint(mark, line); };
    const auto shown = std::min(item.fields.size(), options_.maxFields);
    out_ += changesText({item.fields.begin(), item.fields.begin() + static_cast<std::ptrdiff_t>(shown)}, text);
    if (shown < item.fields.size())
      out_ += "      and " + std::to_string(item.fields.size() - shown) + " more fields\n";
    for (const auto& note : item.notes) out_ += "      # " + visible(note) + "\n";
  }

  const ReportTextOptions& options_;
  std::string out_;
};

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto [c, length] = codePoint(text, i);
    if (hidden(c) || (length == 1 && c >= 0x80)) {
      char code[16];
      std::snprintf(code, sizeof code, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
      out += code;
    } else {
      out += text.substr(i, length);
    }
    i += length;
  }
  return out;
}

std::string reportText(const Report& report, const ReportTextOptions& options) {
  return TextWriter(options).write(report);
}

}  // namespace steer
