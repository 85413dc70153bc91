#include "reconciler/report/status_page.h"

#include "core/rfc3339.h"
#include "reconciler/report/apply_record.h"

namespace steer {
namespace {

constexpr std::size_t kMaxRows = 200;

std::string shortId(const std::string& commit) { return "`" + escapeMarkdown(commit.substr(0, 12)) + "`"; }

std::string took(const ApplyRecord& r) {
  const auto ms = std::chrono::duration_cast<milliseconds>(r.finished - r.started).count();
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
}

std::string counts(const ApplyRecord& r) {
  return std::to_string(r.created) + " / " + std::to_string(r.updated) + " / " + std::to_string(r.replaced) + " / " +
         std::to_string(r.deleted);
}

void addList(std::string& out, const std::string& title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  out += "\n### " + title + "\n\n";
  for (std::size_t i = 0; i < items.size() && i < kMaxRows; ++i) out += "- " + escapeMarkdown(items[i], 1000) + "\n";
}

void addNewest(std::string& out, const ApplyRecord& r) {
  out += "## Now: " + std::string(textOf(r.result)) + "\n\n";
  out += "Commit " + shortId(r.commit) + " \"" + escapeMarkdown(r.summary) + "\" by " + escapeMarkdown(r.author) +
         ", " + (r.trigger == "drift" ? "healing drift, " : "") + "finished " + formatTime(r.finished) + " after " +
         took(r) + ".\n";
  if (!r.message.empty()) out += "\n" + escapeMarkdown(r.message, 1000) + "\n";
  out +=
      "\nCreated / updated / replaced / deleted: " + counts(r) + "; unchanged: " + std::to_string(r.unchanged) + ".\n";
  addList(out, "Findings", r.findings);
  addList(out, "Changed by others", r.drift);
  if (r.objects.empty()) return;
  out += "\n### Objects\n\n| object | action | outcome | health | source |\n|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < r.objects.size() && i < kMaxRows; ++i) {
    const auto& row = r.objects[i];
    out += "| " + escapeMarkdown(row.object) + " | " + escapeMarkdown(row.action) + " | " +
           escapeMarkdown(row.error.empty() ? row.outcome : row.outcome + ": " + row.error) + " | " +
           escapeMarkdown(row.reason.empty() ? row.health : row.health + ": " + row.reason) + " | " +
           escapeMarkdown(row.source) + " |\n";
  }
  if (r.objects.size() > kMaxRows)
    out += "\nand " + std::to_string(r.objects.size() - kMaxRows) + " more in the record.\n";
}

}  // namespace

std::string escapeMarkdown(std::string_view text, std::size_t limit) {
  std::string out;
  bool cut = false;
  if (text.size() > limit) {
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole characters only
    text = text.substr(0, end);
    cut = true;
  }
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t') out += ' ';
    else if (u < 0x20 || u == 0x7f) continue;
    else if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '@') out += "&#64;";  // no mention of people
    else if (std::string_view("\\`*_{}[]()#+!|~").find(c) != std::string_view::npos) (out += '\\') += c;
    else out += c;
  }
  // A bare address would become a link.
  for (std::size_t at = 0; (at = out.find("://", at)) != std::string::npos; at += 3) out.replace(at, 3, ":&#47;&#47;");
  return cut ? out + "…" : out;
}

std::string statusPage(const std::vector<std::string>& texts) {
  std::vector<ApplyRecord> records;
  for (const auto& text : texts)
    if (auto r = recordFromJson(text); r.ok()) records.push_back(std::move(*r));
  std::string out = "# Status of " +
                    (records.empty() ? std::string("the cluster") : escapeMarkdown(records.front().application)) +
                    "\n\nWritten by Steersman after each commit; the records themselves are in `records/`.\n\n";
  if (records.empty()) return out;
  addNewest(out, records.front());
  out += "\n## History\n\n| finished | commit | result | created / updated / replaced / deleted | took | message |\n";
  out += "|---|---|---|---|---|---|\n";
  for (const auto& r : records)
    out += "| " + formatTime(r.finished) + " | " + shortId(r.commit) + " | " + std::string(textOf(r.result)) +
           (r.trigger == "drift" ? " (drift)" : "") + " | " + counts(r) + " | " + took(r) + " | " +
           escapeMarkdown(r.summary, 80) + " |\n";
  return out;
}

}  // namespace steer
