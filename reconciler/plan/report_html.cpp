#include "reconciler/plan/report_markup.h"

namespace steer {
namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Plan</title>
<style>
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.3rem}h2{font-size:1.1rem;margin-top:2rem}h3{font-size:1rem;margin-bottom:.3rem}
details,.item{margin:.2rem 0;padding:.3rem .6rem;border-left:4px solid #888}
.add{border-color:#2a9d4a}.change{border-color:#c98a00}.remove{border-color:#d0342c}
pre{overflow-x:auto;margin:.4rem 0}pre .add{color:#2a9d4a}pre .change{color:#c98a00}pre .remove{color:#d0342c}
summary{cursor:pointer}.place{opacity:.6;font-size:.85rem}.problem{color:#d0342c;font-weight:600}
</style></head><body>
)";

const char* classOf(Mark mark) {
  switch (mark) {
    case Mark::add:
      return "add";
    case Mark::remove:
      return "remove";
    case Mark::change:
      return "change";
    case Mark::plain:
      break;
  }
  return "plain";
}

std::string titleOf(const ReportItem& item) {
  std::string out = "<code>" + htmlEscaped(item.sign + " " + item.name) + "</code>";
  if (!item.remark.empty()) out += " " + htmlEscaped(item.remark);
  if (!item.place.empty()) out += " <span class=\"place\">" + htmlEscaped(item.place) + "</span>";
  return out;
}

std::string itemHtml(const ReportItem& item) {
  TextOptions text;
  text.indent = "";
  text.maxValue = 4000;
  text.paint = [](Mark mark, const std::string& line) {
    return std::string("<span class=\"") + classOf(mark) + "\">" + htmlEscaped(line) + "</span>";
  };
  std::string body;
  for (const auto& problem : item.problems) body += "<p class=\"problem\">" + htmlEscaped(problem) + "</p>\n";
  if (!item.fields.empty()) body += "<pre>" + changesText(item.fields, text) + "</pre>\n";
  for (const auto& note : item.notes) body += "<p class=\"note\">" + htmlEscaped(note) + "</p>\n";
  const std::string kind(classOf(item.mark));
  if (body.empty()) return "<p class=\"item " + kind + "\">" + titleOf(item) + "</p>\n";
  return "<details open class=\"" + kind + "\"><summary>" + titleOf(item) + "</summary>\n" + body + "</details>\n";
}

}  // namespace

std::string reportHtml(const Report& report) {
  std::string out = kHead;
  out += "<h1>" + htmlEscaped(report.nothing.empty() ? report.headline : report.nothing) + "</h1>\n";
  for (const auto& [name, value] : report.facts)
    out += "<p>" + htmlEscaped(name) + ": <code>" + htmlEscaped(value) + "</code></p>\n";
  for (const auto& finding : report.findings) out += "<p class=\"problem\">" + htmlEscaped(finding) + "</p>\n";
  for (const auto& section : report.sections) {
    if (report.sections.size() > 1) out += "<h2>" + htmlEscaped(section.title) + "</h2>\n";
    for (const auto& warning : section.warnings) out += "<p class=\"problem\">" + htmlEscaped(warning) + "</p>\n";
    for (const auto& remark : section.remarks) out += "<p>" + htmlEscaped(remark) + "</p>\n";
    for (const auto& group : section.groups) {
      out += "<h3>" + htmlEscaped(group.title) + "</h3>\n";
      for (const auto& item : group.items) out += itemHtml(item);
    }
    if (section.unchanged.empty()) continue;
    out += "<details><summary>" + std::to_string(section.unchanged.size()) + " unchanged</summary><ul>\n";
    for (const auto& name : section.unchanged) out += "<li>" + htmlEscaped(name) + "</li>\n";
    out += "</ul></details>\n";
  }
  for (const auto& note : report.notes) out += "<p class=\"note\">" + htmlEscaped(note) + "</p>\n";
  return out + "</body></html>\n";
}

}  // namespace steer
