#include "simulator/forecast_text.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "reconciler/plan/report.h"

namespace steer {
namespace {

using Row = std::vector<std::string>;

std::string timeText(Duration time) {
  const double s = std::chrono::duration<double>(time).count();
  char text[32];
  if (s < 60) std::snprintf(text, sizeof text, "%.1fs", s);
  else std::snprintf(text, sizeof text, "%dm%02ds", static_cast<int>(s) / 60, static_cast<int>(s) % 60);
  return text;
}

std::string cpuText(std::int64_t milli) { return std::to_string(milli) + "m"; }
std::string memoryText(std::int64_t bytes) { return std::to_string(bytes >> 20) + "Mi"; }
std::string plainText(std::int64_t count) { return std::to_string(count); }

std::string amountText(const NodeForecast::Amount& amount, std::string (*unit)(std::int64_t)) {
  const std::string change =
      amount.before == amount.after ? unit(amount.after) : unit(amount.before) + " -> " + unit(amount.after);
  return change + " of " + unit(amount.allocatable);
}

std::string landedText(const WorkloadForecast& w) {
  std::string out;
  for (const auto& [node, count] : w.landed)
    out += (out.empty() ? "" : ", ") + node + (count > 1 ? " x" + std::to_string(count) : "");
  return out;
}

std::string outcomeText(const WorkloadForecast& w) {
  if (!w.blocked.empty()) return "BLOCKED: " + w.blocked;
  if (!w.unplaced.empty()) return "NOT PLACED";
  return w.desired == 0 ? "no pods left" : "healthy";
}

std::vector<Row> workloadRows(const Forecast& forecast) {
  std::vector<Row> rows;
  for (const auto& w : forecast.workloads)
    rows.push_back({w.workload, std::to_string(w.restarts) + " of " + std::to_string(w.readyBefore),
                    std::to_string(w.lowest) + " of " + std::to_string(w.desired), timeText(w.below), timeText(w.done),
                    landedText(w), outcomeText(w)});
  return rows;
}

std::vector<Row> nodeRows(const Forecast& forecast) {
  std::vector<Row> rows;
  for (const auto& n : forecast.nodes)
    if (n.changed())
      rows.push_back(
          {n.node, amountText(n.cpu, cpuText), amountText(n.memory, memoryText), amountText(n.pods, plainText)});
  return rows;
}

std::vector<Row> serviceRows(const Forecast& forecast) {
  std::vector<Row> rows;
  for (const auto& s : forecast.services)
    rows.push_back({s.service, std::to_string(s.before), std::to_string(s.lowest), std::to_string(s.after),
                    s.without.count() == 0 ? "never" : timeText(s.without)});
  return rows;
}

const Row kWorkloads{"WORKLOAD", "RESTARTS", "LOWEST READY", "BELOW DESIRED", "DONE AFTER", "NEW PODS ON", "OUTCOME"};
const Row kNodes{"NODE", "CPU REQUESTED", "MEMORY REQUESTED", "PODS"};
const Row kServices{"SERVICE", "ENDPOINTS BEFORE", "LOWEST", "AFTER", "WITHOUT ANY"};

std::string alignedText(const Row& header, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& cell : header) widths.push_back(cell.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  const auto line = [&](const Row& row) {
    std::string text = "  ";
    for (std::size_t i = 0; i < row.size(); ++i)
      text += visible(row[i]) + (i + 1 == row.size() ? "" : std::string(widths[i] - row[i].size() + 2, ' '));
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  line(header);
  for (const auto& row : rows) line(row);
  return out;
}

std::string headline(const Forecast& forecast) {
  std::string out = forecast.blocked()           ? "Simulation: something does not come up"
                    : forecast.workloads.empty() ? "Simulation: no pod is touched"
                                                 : "Simulation: everything is healthy after " + timeText(forecast.took);
  if (!forecast.cutShort.empty()) out += " (" + forecast.cutShort + ")";
  return out;
}

std::string eventLine(const ForecastEvent& e) {
  return timeText(e.at) + "  " + eventName(e.kind) + "  " + (e.existed ? "old" : "new") + " pod of " + e.workload +
         (e.existed ? " (" + e.pod + ")" : "") + (e.node.empty() ? "" : " on " + e.node);
}

/// Every pod that finds no place, in the scheduler's words.
std::vector<std::string> unplacedLines(const Forecast& forecast) {
  std::vector<std::string> out;
  for (const auto& w : forecast.workloads)
    for (const auto& [reason, count] : w.unplaced)
      out.push_back(w.workload + ": " + std::to_string(count) + (count == 1 ? " pod" : " pods") +
                    " cannot be placed: " + reason);
  for (const auto& text : forecast.refused) out.push_back("refused: " + text);
  return out;
}

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    if (std::string_view("|\\`*_<>[]&#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string markdownTable(const Row& header, const std::vector<Row>& rows) {
  std::string out = "|";
  for (const auto& text : header) out += " " + cell(text) + " |";
  out += "\n|";
  for (std::size_t i = 0; i < header.size(); ++i) out += "---|";
  for (const auto& row : rows) {
    out += "\n|";
    for (const auto& text : row) out += " " + cell(text) + " |";
  }
  return out + "\n\n";
}

}  // namespace

std::string forecastText(const Forecast& forecast, const ForecastTextOptions& options) {
  const auto paint = [&](Mark mark, const std::string& text) {
    return options.paint ? options.paint(mark, text) : text;
  };
  std::string out = paint(forecast.blocked() ? Mark::remove : Mark::add, headline(forecast)) + "\n";
  for (const auto& line : unplacedLines(forecast)) out += "  " + paint(Mark::remove, "! " + visible(line)) + "\n";
  if (!forecast.workloads.empty()) out += "\n" + alignedText(kWorkloads, workloadRows(forecast));
  if (const auto rows = serviceRows(forecast); !rows.empty()) out += "\n" + alignedText(kServices, rows);
  if (const auto rows = nodeRows(forecast); !rows.empty()) out += "\n" + alignedText(kNodes, rows);
  if (!forecast.events.empty()) out += "\n  What happens, in order:\n";
  std::size_t shown = 0;
  for (const auto& event : forecast.events)
    if (shown++ < options.maxPods) out += "    " + visible(eventLine(event)) + "\n";
  if (shown > options.maxPods)
    out += "    and " + std::to_string(shown - options.maxPods) + " more events (-o json shows all)\n";
  for (const auto& text : forecast.assumptions) out += "  Assumed: " + visible(text) + "\n";
  return out;
}

std::string forecastMarkdown(const Forecast& forecast) {
  std::string out = "### " + cell(headline(forecast)) + "\n\n";
  for (const auto& line : unplacedLines(forecast)) out += "- :x: " + cell(line) + "\n";
  if (!unplacedLines(forecast).empty()) out += "\n";
  if (!forecast.workloads.empty()) out += markdownTable(kWorkloads, workloadRows(forecast));
  if (const auto rows = serviceRows(forecast); !rows.empty()) out += markdownTable(kServices, rows);
  if (const auto rows = nodeRows(forecast); !rows.empty()) out += markdownTable(kNodes, rows);
  for (const auto& text : forecast.assumptions) out += "- Assumed: " + cell(text) + "\n";
  return out;
}

std::string forecastHtml(const Forecast& forecast) {
  std::string out = "<section><h2>Simulation</h2><pre>";
  for (const char c : forecastText(forecast)) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out + "</pre></section>\n";
}

}  // namespace steer
