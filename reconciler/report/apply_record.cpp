#include "reconciler/report/apply_record.h"

#include <array>

#include "core/rfc3339.h"
#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::array<std::string_view, 7> kResults{"running", "healthy", "degraded",  "timedOut",
                                                   "failed",  "invalid", "superseded"};

json::array strings(const std::vector<std::string>& from) {
  json::array out;
  for (const auto& s : from) out.emplace_back(s);
  return out;
}

std::vector<std::string> stringsAt(const json::value& v, std::string_view key) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(v, {key}))
    if (const auto* s = item.if_string()) out.emplace_back(view(*s));
  return out;
}

json::object rowJson(const ApplyRecord::ObjectRow& row) {
  json::object out{{"object", row.object}, {"action", row.action}, {"outcome", row.outcome}};
  if (!row.source.empty()) out["source"] = row.source;
  if (!row.error.empty()) out["error"] = row.error;
  if (!row.health.empty()) out["health"] = row.health;
  if (!row.reason.empty()) out["reason"] = row.reason;
  if (!row.fields.empty()) out["fields"] = strings(row.fields);
  return out;
}

std::string text(const json::value& v, std::initializer_list<std::string_view> path) {
  return std::string(stringAt(v, path));
}

void count(std::string& out, std::int64_t n, std::string_view what) {
  if (n != 0) out += (out.empty() ? "" : ", ") + std::to_string(n) + " " + std::string(what);
}

}  // namespace

std::string_view textOf(ApplyRecord::Result result) { return kResults[static_cast<std::size_t>(result)]; }

std::string ApplyRecord::path() const {
  std::string at = formatMicroTime(started);  // 2026-11-21T04:10:59.123456Z
  std::string clock;
  for (const char c : at.substr(11))
    if (c != ':') clock += c;
  // Several applications may begin the same commit at the same moment.
  const std::string whose = application == "root" ? "" : "-" + application;
  // By month, day and hour, so that a commit of one more writes small trees anew.
  return "records/" + at.substr(0, 7) + "/" + at.substr(8, 2) + "/" + clock.substr(0, 2) + "/" + clock + "-" + commit +
         whose + ".json";
}

std::string ApplyRecord::note() const {
  constexpr std::size_t most = 20;
  std::string out = (application == "root" ? "" : application + ": ") + line() + "\n";
  std::size_t shown = 0, all = 0;
  const auto add = [&](const std::string& text) {
    if (++all <= most) out += "  " + text + "\n";
    shown = std::min(all, most);
  };
  for (const auto& finding : findings) add(finding);
  for (const auto& row : objects)
    if (!row.error.empty()) add(row.object + (row.source.empty() ? "" : " (" + row.source + ")") + ": " + row.error);
  if (all > shown) out += "  and " + std::to_string(all - shown) + " more in the status record\n";
  return out;
}

std::string ApplyRecord::line() const {
  std::string counts;
  count(counts, created, "created");
  count(counts, updated, "updated");
  count(counts, replaced, "replaced");
  count(counts, deleted, "deleted");
  if (counts.empty()) counts = result == Result::invalid ? "nothing applied" : "no changes";
  std::string out = std::string(textOf(result)) + ": " + counts;
  if (trigger == "drift") out += ", healing drift";
  if (result != Result::healthy && !message.empty()) out += "; " + message.substr(0, message.find('\n'));
  return out + " (" + formatTime(finished) + ")";
}

json::object toJson(const ApplyRecord& r) {
  json::array objects;
  for (const auto& row : r.objects) objects.emplace_back(rowJson(row));
  json::object out{{"version", 1},
                   {"application", r.application},
                   {"commit", r.commit},
                   {"author", r.author},
                   {"summary", r.summary},
                   {"repository", r.repository},
                   {"revision", r.revision},
                   {"trigger", r.trigger},
                   {"started", formatMicroTime(r.started)},
                   {"finished", formatMicroTime(r.finished)},
                   {"result", textOf(r.result)},
                   {"message", r.message},
                   {"counts",
                    {{"created", r.created},
                     {"updated", r.updated},
                     {"replaced", r.replaced},
                     {"deleted", r.deleted},
                     {"unchanged", r.unchanged}}},
                   {"objects", std::move(objects)}};
  if (!r.findings.empty()) out["findings"] = strings(r.findings);
  if (!r.drift.empty()) out["drift"] = strings(r.drift);
  if (!r.approval.empty()) out["approval"] = r.approval;
  if (!r.account.empty()) out["account"] = r.account;
  makeUtf8(out);  // a record that cannot be read again would hide the ones before it
  return out;
}

Result<ApplyRecord> recordFromJson(std::string_view source) {
  STEER_TRY(const json::value v, parseJson(source));
  ApplyRecord r;
  const auto started = parseTime(stringAt(v, {"started"}));
  const auto finished = parseTime(stringAt(v, {"finished"}));
  const auto result = stringAt(v, {"result"});
  if (!started || !finished || stringAt(v, {"commit"}).empty())
    return makeError(Errc::badRequest, "not a record of Steersman");
  r.started = *started;
  r.finished = *finished;
  for (std::size_t i = 0; i < kResults.size(); ++i)
    if (kResults[i] == result) r.result = static_cast<ApplyRecord::Result>(i);
  r.application = text(v, {"application"});
  r.commit = text(v, {"commit"});
  r.author = text(v, {"author"});
  r.summary = text(v, {"summary"});
  r.repository = text(v, {"repository"});
  r.revision = text(v, {"revision"});
  r.trigger = text(v, {"trigger"});
  r.message = text(v, {"message"});
  r.created = intAt(v, {"counts", "created"});
  r.updated = intAt(v, {"counts", "updated"});
  r.replaced = intAt(v, {"counts", "replaced"});
  r.deleted = intAt(v, {"counts", "deleted"});
  r.unchanged = intAt(v, {"counts", "unchanged"});
  for (const auto& row : arrayAt(v, {"objects"}))
    r.objects.push_back({text(row, {"object"}), text(row, {"source"}), text(row, {"action"}), text(row, {"outcome"}),
                         text(row, {"error"}), text(row, {"health"}), text(row, {"reason"}), stringsAt(row, "fields")});
  r.findings = stringsAt(v, "findings");
  r.drift = stringsAt(v, "drift");
  r.approval = text(v, {"approval"});
  r.account = text(v, {"account"});
  return r;
}

}  // namespace steer
