#include <algorithm>

#include "reconciler/plan/report_markup.h"

namespace steer {
namespace {

/// Forges colour a diff by its first column and know no "~".
std::string diffLines(const ReportItem& item, std::size_t maxFields) {
  TextOptions text;
  text.indent = "";
  text.maxValue = 1000;
  text.paint = [](Mark mark, const std::string& line) {
    return mark == Mark::change ? "! " + visible(line.substr(2)) : visible(line);
  };
  const auto shown = std::min(item.fields.size(), maxFields);
  auto out = changesText({item.fields.begin(), item.fields.begin() + static_cast<std::ptrdiff_t>(shown)}, text);
  if (shown < item.fields.size()) out += "# and " + std::to_string(item.fields.size() - shown) + " more fields\n";
  return out;
}

/// Longer than any run of backticks inside, so that nothing inside can end it.
std::string fenceFor(std::string_view text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return std::string(std::max<std::size_t>(3, longest + 1), '`');
}

/// Everything that people wrote stands inside HTML blocks, where Markdown has no signs, in <code>, where
/// nobody is called by name; the differences stand inside fences.
std::string itemMarkdown(const ReportItem& item, std::size_t maxFields) {
  std::string notes;
  for (const auto& problem : item.problems) notes += "<li>⚠ <code>" + htmlEscaped(problem) + "</code></li>\n";
  for (const auto& note : item.notes) notes += "<li><code>" + htmlEscaped(note) + "</code></li>\n";
  if (!notes.empty()) notes = "<ul>\n" + notes + "</ul>\n";
  const auto diff = diffLines(item, maxFields);
  if (diff.empty() && notes.empty()) return "<p>" + htmlItemTitle(item) + "</p>\n\n";
  std::string out = "<details" + std::string(item.problems.empty() ? "" : " open") + "><summary>" +
                    htmlItemTitle(item) + "</summary>\n" + notes + "\n";
  if (!diff.empty()) {
    const auto fence = fenceFor(diff);
    out += fence + "diff\n" + diff + fence + "\n\n";
  }
  return out + "</details>\n\n";
}

std::string sectionMarkdown(const ReportSection& section, const MarkdownOptions& options, std::size_t& room,
                            std::size_t& dropped) {
  std::string out;
  const auto fits = [&](const std::string& piece) {
    if (piece.size() > room) return false;
    room -= piece.size();
    out += piece;
    return true;
  };
  for (const auto& warning : section.warnings) fits("<p>⚠ <code>" + htmlEscaped(warning) + "</code></p>\n\n");
  for (const auto& remark : section.remarks) fits("<p>✔ <code>" + htmlEscaped(remark) + "</code></p>\n\n");
  for (const auto& group : section.groups) {
    fits("<h4>" + htmlEscaped(group.title) + "</h4>\n\n");
    for (const auto& item : group.items)
      if (!fits(itemMarkdown(item, options.maxFields)) && !fits("<p>" + htmlItemTitle(item) + "</p>\n\n")) ++dropped;
  }
  if (section.unchanged.empty()) return out;
  std::string list = "<details><summary>" + std::to_string(section.unchanged.size()) + " unchanged</summary>\n<ul>\n";
  for (const auto& name : section.unchanged) list += "<li><code>" + htmlEscaped(name) + "</code></li>\n";
  if (!fits(list + "</ul>\n</details>\n\n"))
    fits("<p>" + std::to_string(section.unchanged.size()) + " unchanged</p>\n\n");
  return out;
}

}  // namespace

std::string htmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string htmlItemTitle(const ReportItem& item) {
  std::string out = "<code>" + htmlEscaped(item.sign + " " + item.name) + "</code>";
  if (!item.remark.empty()) out += " <code>" + htmlEscaped(item.remark) + "</code>";
  if (!item.place.empty()) out += " <sub><code>" + htmlEscaped(item.place) + "</code></sub>";
  return out;
}

std::string reportMarkdown(const Report& report, const MarkdownOptions& options) {
  std::string out = "<h3>" + htmlEscaped(report.nothing.empty() ? report.headline : report.nothing) + "</h3>\n\n";
  for (const auto& [name, value] : report.facts)
    out += "<p>" + htmlEscaped(name) + ": <code>" + htmlEscaped(value) + "</code></p>\n\n";
  std::string findings;
  for (const auto& finding : report.findings) findings += "<li>⚠ <code>" + htmlEscaped(finding) + "</code></li>\n";
  if (findings.size() > options.maxBytes / 2)
    out += "<p>⚠ " + std::to_string(report.findings.size()) + " findings, too many for this page</p>\n\n";
  else if (!findings.empty()) out += "<ul>\n" + findings + "</ul>\n\n";
  std::size_t room = options.maxBytes > out.size() ? options.maxBytes - out.size() : 0;
  std::size_t dropped = 0;
  for (const auto& section : report.sections) {
    const auto body = sectionMarkdown(section, options, room, dropped);
    if (report.sections.size() > 1 && !body.empty()) out += "<h4>" + htmlEscaped(section.title) + "</h4>\n\n";
    out += body;
  }
  for (const auto& note : report.notes) out += "<p><code>" + htmlEscaped(note) + "</code></p>\n\n";
  if (dropped != 0) out += "<p>and " + std::to_string(dropped) + " more objects, too many for this page</p>\n";
  return out;
}

}  // namespace steer
