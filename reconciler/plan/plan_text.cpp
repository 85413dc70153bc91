#include "reconciler/plan/plan_text.h"

#include <map>

namespace steer {
namespace {

const char* signOf(PlanAction action) {
  switch (action) {
    case PlanAction::create:
      return "+";
    case PlanAction::update:
      return "~";
    case PlanAction::replace:
      return "-/+";
    case PlanAction::remove:
      return "-";
    case PlanAction::none:
      break;
  }
  return " ";
}

Mark markOf(PlanAction action) {
  switch (action) {
    case PlanAction::create:
      return Mark::add;
    case PlanAction::update:
      return Mark::change;
    case PlanAction::replace:
    case PlanAction::remove:
      return Mark::remove;
    case PlanAction::none:
      break;
  }
  return Mark::plain;
}

std::string remarks(const PlannedChange& c) {
  std::string out;
  if (c.action == PlanAction::replace) out += "  # must be replaced: " + c.forcedBy + " cannot change";
  else if (c.adopts && c.refusal.empty()) out += "  # adopts an object that exists";
  if (c.action == PlanAction::update && c.fields.empty() && !c.adopts)
    out += "  # only the ownership of fields changes";
  return out;
}

std::string changeText(const PlannedChange& c, const PlanTextOptions& options) {
  const auto paint = [&](Mark mark, const std::string& text) {
    return options.paint ? options.paint(mark, text) : text;
  };
  std::string out =
      "  " + paint(markOf(c.action), std::string(signOf(c.action)) + " " + c.gvk.kind + " " + c.ref.name) + remarks(c);
  if (!c.source.file.empty()) out += "  (" + SourcePos{c.source.file, c.source.line, 0}.text() + ")";
  out += "\n";
  if (!c.refusal.empty()) out += "      " + paint(Mark::remove, "! the server refuses this: " + c.refusal) + "\n";
  if (!c.fields.empty()) {
    TextOptions text;
    text.indent = "      ";
    text.paint = options.paint;
    const auto shown = std::min(c.fields.size(), options.maxFields);
    out += changesText({c.fields.begin(), c.fields.begin() + static_cast<std::ptrdiff_t>(shown)}, text);
    if (shown < c.fields.size()) out += "      and " + std::to_string(c.fields.size() - shown) + " more fields\n";
  }
  for (const auto& taken : c.taken) out += "      # takes " + taken + "\n";
  return out;
}

}  // namespace

std::string planSummary(const Plan& plan) {
  const auto n = plan.counts();
  std::string out = "Plan: " + std::to_string(n.create) + " to create, " + std::to_string(n.update) + " to update, " +
                    std::to_string(n.replace) + " to replace, " + std::to_string(n.remove) + " to delete.";
  if (n.refused != 0) out += " " + std::to_string(n.refused) + " refused by the server.";
  return out;
}

std::string planText(const Plan& plan, const PlanTextOptions& options) {
  if (plan.empty()) return "No changes. The cluster matches " + plan.source + ".\n";
  std::vector<std::string> order;
  std::map<std::string, std::string> groups;
  for (const auto& c : plan.changes) {
    if (c.action == PlanAction::none && c.refusal.empty()) continue;
    if (!groups.contains(c.ref.ns)) order.push_back(c.ref.ns);
    groups[c.ref.ns] += changeText(c, options);
  }
  std::string out;
  for (const auto& ns : order)
    out += (ns.empty() ? std::string("cluster") : "namespace " + ns) + "\n" + groups[ns] + "\n";
  return out + planSummary(plan) + "\n";
}

json::object planJson(const Plan& plan) {
  json::array changes;
  for (const auto& c : plan.changes) {
    if (c.action == PlanAction::none && c.refusal.empty()) continue;
    json::object row{{"action", actionName(c.action)},
                     {"apiVersion", c.gvk.apiVersion()},
                     {"kind", c.gvk.kind},
                     {"name", c.ref.name},
                     {"wave", waveName(c.wave)}};
    if (!c.ref.ns.empty()) row["namespace"] = c.ref.ns;
    if (!c.source.file.empty()) {
      row["file"] = c.source.file;
      row["line"] = c.source.line;
    }
    if (!c.fields.empty()) row["changes"] = changesJson(c.fields);
    if (!c.forcedBy.empty()) row["replacedBecause"] = c.forcedBy;
    if (c.adopts) row["adopts"] = true;
    if (!c.taken.empty()) row["takes"] = json::value_from(c.taken);
    if (!c.refusal.empty()) row["refused"] = c.refusal;
    changes.emplace_back(std::move(row));
  }
  const auto n = plan.counts();
  return {{"application", plan.application},
          {"source", plan.source},
          {"digest", plan.digest()},
          {"counts",
           {{"create", n.create},
            {"update", n.update},
            {"replace", n.replace},
            {"delete", n.remove},
            {"none", n.none},
            {"refused", n.refused}}},
          {"changes", std::move(changes)}};
}

}  // namespace steer
