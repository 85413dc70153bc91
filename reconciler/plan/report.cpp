#include "reconciler/plan/report.h"

#include <algorithm>
#include <map>

#include "reconciler/plan/delete_budget.h"
#include "schemas/schema.h"

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

std::string remarkOf(const PlannedChange& c) {
  if (c.hidden) return "its account may not read it, so what changes in it is not shown";
  if (!c.vanishing.empty()) return "is being deleted (" + c.vanishing + "), and is made anew when it is gone";
  if (c.action == PlanAction::replace && c.forcedBy.empty()) return "is made anew, as its sync-options ask";
  if (c.action == PlanAction::replace) return "must be replaced: " + c.forcedBy + " cannot change";
  if (!c.makesWayFor.name.empty())
    return "goes first, since " + c.makesWayFor.name + " needs what it holds; neither serves in between";
  if (!c.freed.empty())
    return "pods of " + c.freesFor.name + " wait for its port " + c.freed +
           " of the node; neither may serve in between";
  if (!c.after.empty()) return "comes after " + c.after.front() + " is gone, which holds what this needs";
  if (!c.movedFrom.empty()) return "moves here from application " + c.movedFrom;
  if (c.adopts && c.refusal.empty()) return "adopts an object that exists";
  if (c.action == PlanAction::update && c.fields.empty()) return "only the ownership of fields changes";
  return "";
}

std::string placeText(const SourcePos& pos) { return pos.file.empty() ? "" : SourcePos{pos.file, pos.line, 0}.text(); }

ReportItem itemOf(const PlannedChange& c, Creations creations) {
  ReportItem item{markOf(c.action), signOf(c.action), c.gvk.kind + " " + c.ref.name, remarkOf(c), placeText(c.source)};
  if (!c.refusal.empty()) item.problems.push_back("the server refuses this: " + c.refusal);
  item.fields = c.fields;
  if (c.action == PlanAction::create && creations == Creations::shown)
    item.fields = diffObjects(SchemaRegistry::builtin().find(c.gvk), json::object{{"kind", c.gvk.kind}},
                              c.predicted ? c.predicted->json() : c.wanted);
  for (const auto& taken : c.taken) item.notes.push_back("takes " + taken);
  for (const auto& left : c.left) item.notes.push_back("leaves " + left);
  return item;
}

/// Groups by namespace, in the order in which namespaces come up.
class Grouping {
 public:
  void add(const std::string& ns, ReportItem item) {
    const auto [it, isNew] = at_.emplace(ns, groups_.size());
    if (isNew) groups_.push_back({ns.empty() ? "cluster" : "namespace " + ns});
    groups_[it->second].items.push_back(std::move(item));
  }
  std::vector<ReportGroup> take() { return std::move(groups_); }

 private:
  std::map<std::string, std::size_t> at_;
  std::vector<ReportGroup> groups_;
};

/// What runs before and after the changes.
ReportGroup hooksOf(const Plan& plan) {
  ReportGroup group{"hooks"};
  for (const auto& hook : plan.hooks) {
    ReportItem item{Mark::plain, ">", std::string(hookName(hook.when)) + " " + hook.text()};
    if (runsAtDeletion(hook.when)) item.remark = "runs when the application is deleted";
    else if (hook.last && hook.fresh()) item.remark = "changed since its last run";
    item.place = placeText(hook.source);
    group.items.push_back(std::move(item));
  }
  return group;
}

ReportSection sectionOf(const Plan& plan, Creations creations) {
  ReportSection section{"application " + plan.application};
  for (const auto& name : plan.waitsFor) section.title += (name == plan.waitsFor.front() ? " after " : ", ") + name;
  Grouping grouping;
  for (const auto& c : plan.changes) {
    if (c.action == PlanAction::none && c.refusal.empty()) section.unchanged.push_back(c.text());
    else grouping.add(c.ref.ns, itemOf(c, creations));
  }
  section.groups = grouping.take();
  if (const auto verdict = checkDeletions(plan, plan.deleteBudget); verdict.needsConfirmation) {
    const auto says = trailerSays(plan.confirmedDeletions, plan, verdict);
    if (says == TrailerSays::yes) section.remarks.push_back(confirmedText(verdict));
    else section.warnings.push_back(confirmationText(verdict, plan.commit, says));
  }
  for (const auto& kept : plan.kept) section.remarks.push_back("left the source and stays: " + kept);
  if (plan.hooksDue()) section.groups.push_back(hooksOf(plan));
  return section;
}

std::string byWhom(const DriftedField& f) {
  std::string out = f.path + (f.kind == DriftedField::Kind::added ? " was set by " : " was changed by ");
  out += f.manager.empty() ? "someone who left no name" : f.manager;
  return out + (f.time.empty() ? "" : " at " + f.time);
}

ReportItem itemOf(const ObjectDrift& drift) {
  ReportItem item{drift.missing ? Mark::remove : Mark::change, drift.missing ? "-" : "~",
                  drift.gvk.kind + " " + drift.ref.name, drift.missing ? "is not in the cluster" : "",
                  placeText(drift.source)};
  for (const auto& f : drift.fields) {
    const auto kind = !f.before && f.kind == DriftedField::Kind::added ? FieldChange::Kind::add
                      : !f.after                                       ? FieldChange::Kind::remove
                      : !f.before                                      ? FieldChange::Kind::add
                                                                       : FieldChange::Kind::change;
    if (f.before || f.after) item.fields.push_back({kind, f.path, f.before, f.after});
    item.notes.push_back(byWhom(f));
  }
  return item;
}

json::object fieldJson(const DriftedField& f) {
  json::object out{{"path", f.path}, {"how", f.kind == DriftedField::Kind::added ? "added" : "changed"}};
  if (f.before) out["wanted"] = *f.before;
  if (f.after) out["live"] = *f.after;
  if (!f.manager.empty()) out["manager"] = f.manager;
  if (!f.time.empty()) out["time"] = f.time;
  return out;
}

}  // namespace

Report planReport(const PlanSet& set, Creations creations) {
  Report report;
  if (set.plans.empty()) return report;
  const auto hooks = set.hooksDue();
  const std::string none = "No changes. The cluster matches " + set.plans.front().source + ".";
  if (set.empty() && hooks == 0) report.nothing = none;
  report.headline = set.empty() ? none : countsText(set.counts());
  if (hooks != 0) report.headline += " " + std::to_string(hooks) + (hooks == 1 ? " hook" : " hooks") + " to run.";
  report.facts = {{"Source", set.plans.front().source}, {"Digest", set.digest()}};
  report.notes = set.notes;
  report.findings = set.findings;
  const auto n = set.counts();
  if (n.remove + n.replace != 0) report.footer.push_back("Digest: " + set.digest());
  for (const auto& plan : set.plans) report.sections.push_back(sectionOf(plan, creations));
  return report;
}

Report driftReport(const std::vector<ApplicationDrift>& drifts) {
  Report report;
  std::size_t objects = 0;
  for (const auto& drift : drifts) {
    ReportSection section{"application " + drift.application};
    Grouping grouping;
    for (const auto& object : drift.objects) grouping.add(object.ref.ns, itemOf(object));
    section.groups = grouping.take();
    objects += drift.objects.size();
    report.sections.push_back(std::move(section));
  }
  report.headline = "Drift: " + std::to_string(objects) + (objects == 1 ? " object was" : " objects were") +
                    " changed by others since the last apply.";
  if (objects == 0) report.nothing = "No drift. Nobody changed what was applied.";
  return report;
}

json::object driftJson(const std::vector<ApplicationDrift>& drifts) {
  json::array applications;
  for (const auto& drift : drifts) {
    json::array objects;
    for (const auto& object : drift.objects) {
      json::array fields;
      for (const auto& f : object.fields) fields.emplace_back(fieldJson(f));
      json::object row{{"apiVersion", object.gvk.apiVersion()}, {"kind", object.gvk.kind}, {"name", object.ref.name}};
      if (!object.ref.ns.empty()) row["namespace"] = object.ref.ns;
      row["missing"] = object.missing;
      row["fields"] = std::move(fields);
      objects.emplace_back(std::move(row));
    }
    applications.emplace_back(json::object{{"application", drift.application}, {"drift", std::move(objects)}});
  }
  return {{"applications", std::move(applications)}};
}

}  // namespace steer
