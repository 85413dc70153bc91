#include "cli/commands/planning.h"

#include <algorithm>
#include <iostream>

#include "cli/connection.h"
#include "cli/mark_painter.h"
#include "cli/nested_applications.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "reconciler/plan/application_graph.h"
#include "reconciler/plan/application_policy.h"
#include "reconciler/plan/delete_budget.h"

namespace steer::cli {
namespace {

std::string sourceName(const PlanningFlags& flags) {
  const auto& source = flags.source;
  if (flags.destroy) return "an empty source";
  if (!source.repo.empty()) return source.repo + (source.revision.empty() ? "" : " at " + source.revision);
  std::string out;
  for (const auto& path : source.paths) out += (out.empty() ? "" : ", ") + path;
  return out;
}

std::string reportAs(const Report& report, const std::string& format) {
  if (format == "markdown") return reportMarkdown(report);
  if (format == "html") return reportHtml(report);
  ReportTextOptions options;
  options.paint = markPainter();
  return reportText(report, options);
}

bool isDocument(const std::string& format) { return format == "json" || format == "yaml"; }

/// What the cluster says that planning needs to know.
struct ClusterFacts {
  std::set<std::string> namespaces;
  std::map<std::string, ObjectPtr> applications;  ///< by label
  std::map<std::string, ObjectPtr> repositories;  ///< by "namespace/name"
};

Result<ClusterFacts> askCluster(Planned& out) {
  ClusterFacts facts;
  STEER_TRY(const auto namespaces, out.client->list("namespaces", {}));
  for (const auto& ns : namespaces.items) {
    if (!ns->deleting()) facts.namespaces.insert(ns->name());
    if (ns->name() == "kube-system") out.cluster = ns->uid();  // made with the cluster, never deleted
  }
  const auto applications = out.client->list("applications.steersman.dev", {});
  if (!applications.ok() && applications.error().code != Errc::notFound) return applications.error();
  if (applications.ok())
    for (const auto& object : applications->items)
      facts.applications[applicationLabel(object->ns(), object->name())] = object;
  const auto repositories = out.client->list("gitrepositories.steersman.dev", {});
  if (!repositories.ok() && repositories.error().code != Errc::notFound) return repositories.error();
  if (repositories.ok())
    for (const auto& object : repositories->items) facts.repositories[object->ns() + "/" + object->name()] = object;
  return facts;
}

void printFindings(const Diagnostics& findings) {
  for (const auto& d : findings.items())
    std::cerr << paint(d.severity == Severity::error ? Colour::red : Colour::yellow, visible(d.text())) << "\n";
}

/// False with findings that forbid planning; they are printed.
bool accept(const NestedApplications& read, Findings how) {
  printFindings(read.findings);
  printFindings(read.disputes);
  const auto errors = read.findings.errorCount() + read.disputes.errorCount();
  if (errors == 0 || (how == Findings::quarantine && !read.disputes.hasErrors())) return true;
  printError(std::to_string(errors) + (errors == 1 ? " finding" : " findings") + "; nothing was planned or applied");
  return false;
}

Result<ObjectSelection> selectionOf(const PlanningFlags& flags) {
  ObjectSelection out;
  for (const auto& text : flags.targets) {
    STEER_TRY(auto pattern, ObjectPattern::parse(text));
    out.targets.push_back(std::move(pattern));
  }
  for (const auto& text : flags.excludes) {
    STEER_TRY(auto pattern, ObjectPattern::parse(text));
    out.excludes.push_back(std::move(pattern));
  }
  return out;
}

/// A misspelt target must not look like "nothing to do".
Result<void> checkTargets(const ObjectSelection& selection, const PlanSet& plans) {
  for (const auto& target : selection.targets) {
    const auto fits = [&](const Plan& plan) {
      return std::any_of(plan.changes.begin(), plan.changes.end(),
                         [&](const PlannedChange& c) { return target.matches(c.gvk, c.ref); });
    };
    if (std::none_of(plans.plans.begin(), plans.plans.end(), fits))
      return makeError(Errc::notFound, "--target " + target.text() + " names nothing in the source or the inventory");
  }
  return {};
}

/// The application itself and those that it made, what it made before itself.
std::vector<DeclaredApplication> applicationsBelow(const std::string& label, const ClusterFacts& facts) {
  std::vector<DeclaredApplication> out{{label, ""}};
  std::set<std::string> seen{label};
  for (std::size_t i = 0; i < out.size(); ++i)
    for (const auto& [name, object] : facts.applications)
      if (ownedBy(*object, out[i].label) && seen.insert(name).second)
        out.push_back({name, object->ns(), {}, object->spec()});
  std::reverse(out.begin(), out.end());
  return out;
}

/// How the cluster itself applies this application, if it does: the plan must say what it would do.
PlanOptions optionsFor(const DeclaredApplication& application, const PlanningFlags& flags, const ClusterFacts& facts) {
  const auto known = facts.applications.find(application.label);
  const json::object none;
  const auto& spec = !application.spec.empty()           ? application.spec
                     : known != facts.applications.end() ? known->second->spec()
                                                         : none;
  PlanOptions options;
  options.application = application.label;
  options.source = sourceName(flags);
  options.policy = policyOf(spec);
  options.deleteBudget = deleteBudgetOf(spec);
  options.account = accountOf(spec, application.ns);
  if (known != facts.applications.end()) options.ranOnce = ranOnceIn(known->second->status());
  if (flags.noForce) options.policy.conflicts = OwnershipPolicy::Conflicts::refuse;
  const bool prune = flags.destroy || (!flags.keepOthers && boolAt(spec, {"prune"}, true));
  options.prune = prune ? PlanOptions::Prune::yes : PlanOptions::Prune::no;
  return options;
}

/// An application that nobody declares any more goes with what it owns, once its Application object does.
void addLeaving(const ClusterFacts& facts, const PlanningFlags& flags, const ObjectSelection& selection,
                std::vector<DeclaredApplication>& applications, std::vector<std::string>& notes) {
  std::set<std::string> known;
  std::set<ObjectRef> kept;
  for (const auto& a : applications) {
    known.insert(a.label);
    for (const auto& w : a.wanted) kept.insert(w.ref);
    kept.insert(a.quarantined.begin(), a.quarantined.end());
  }
  if (flags.keepOthers) return;
  for (std::size_t i = 0; i < applications.size(); ++i) {
    const bool prunes = applications[i].complete && boolAt(applications[i].spec, {"prune"}, true);
    for (const auto& [label, object] : facts.applications) {
      const ObjectRef ref{"applications.steersman.dev", object->ns(), object->name()};
      const auto finalizers = object->finalizers();
      if (!prunes || !ownedBy(*object, applications[i].label) || kept.contains(ref)) continue;
      if (std::find(finalizers.begin(), finalizers.end(), kApplicationFinalizer) == finalizers.end()) continue;
      if (!boolAt(object->spec(), {"prune"}, true) || !selection.contains(object->gvk(), ref)) continue;
      if (!known.insert(label).second) continue;
      notes.push_back("application " + label + " goes, and with it what it owns");
      applications.push_back({label, object->ns(), {}, json::object{{"suspend", true}}});
      applications.back().leaves = true;
    }
  }
}

/// Whose objects these are, where the command line does not say.
Result<std::string> inventoryOf(const SourceReader& source, const std::vector<FollowedApplication>& followed) {
  GivenSource given{source.identity(), source.path()};
  std::vector<std::string> commits;
  for (const auto& app : followed) commits.insert(commits.end(), app.commits.begin(), app.commits.end());
  for (auto& commit : source.held(commits)) given.commits.insert(std::move(commit));
  return inventoryFor(given, followed);
}

/// Everything that is asked for, kept so that it can be asked again.
struct Question {
  std::vector<ApplicationWish> wishes;
  std::vector<std::vector<std::string>> waitsFor;  ///< per application
};

Result<PlanSet> ask(Client& client, const Question& question) {
  STEER_TRY(auto plans, makePlans(client, question.wishes));
  for (std::size_t i = 0; i < plans.plans.size(); ++i) plans.plans[i].waitsFor = question.waitsFor[i];
  return plans;
}

Result<void> planAll(std::vector<DeclaredApplication> applications, const PlanningFlags& flags, PlanOptions::Live live,
                     const ClusterFacts& facts, Planned& out) {
  STEER_TRY(const auto selection, selectionOf(flags));
  if (!flags.destroy) addLeaving(facts, flags, selection, applications, out.plans.notes);
  std::set<ObjectRef> quarantined;
  for (const auto& a : applications) quarantined.insert(a.quarantined.begin(), a.quarantined.end());
  auto question = std::make_shared<Question>();
  for (auto& application : applications) {
    if (!application.refusal.empty()) {
      out.plans.notes.push_back("application " + application.label + " is not applied: " + application.refusal);
      continue;
    }
    out.wanted.insert(out.wanted.end(), application.wanted.begin(), application.wanted.end());
    ApplicationWish wish{{}, optionsFor(application, flags, facts)};
    wish.options.live = live;
    wish.options.selection = selection;
    wish.options.elsewhere = quarantined;
    if (!application.complete) wish.options.prune = PlanOptions::Prune::no;
    if (flags.destroy || application.leaves) wish.options.ending = PlanInput::Ending::yes;
    wish.wanted = std::move(application.wanted);
    question->wishes.push_back(std::move(wish));
    question->waitsFor.push_back(flags.destroy ? std::vector<std::string>{}
                                               : dependenciesOf(application.spec, application.ns));
  }
  STEER_TRY(auto plans, ask(*out.client, *question));
  for (auto& plan : plans.plans) {
    plan.commit = out.commit;
    plan.confirmedDeletions = out.confirmedDeletions;
  }
  plans.notes = std::move(out.plans.notes);
  plans.findings = std::move(out.plans.findings);
  out.plans = std::move(plans);
  out.again = [question, client = out.client.get()] { return ask(*client, *question); };
  return checkTargets(selection, out.plans);
}

}  // namespace

void addPlanningFlags(const CommandLine& command, PlanningFlags& flags) {
  const auto paths =
      command.option("paths", flags.source.paths, "Directories and files; the current directory if left out");
  const auto repo = command.option("--repo", flags.source.repo, "A repository instead of files").excludes(paths);
  command.option("--rev", flags.source.revision, "Branch, tag or commit of --repo").needs(repo);
  command.option("--path", flags.source.path, "Directory inside --repo").needs(repo);
  command.option("--kubeconfig", flags.kubeconfig, "Which cluster");
  command.option("--application", flags.application,
                 "Whose objects these are; others are never deleted. Left out: the application that follows this "
                 "source, else an inventory named after its repository");
  command.option("-n,--namespace", flags.ns, "For objects that name none");
  command.option("--target", flags.targets, "Only KIND/[NAMESPACE/]NAME, with * and ?; may be repeated").oneValueEach();
  command.option("--exclude", flags.excludes, "Not KIND/[NAMESPACE/]NAME, with * and ?; may be repeated")
      .oneValueEach();
  command.flag("--no-prune", flags.keepOthers, "Delete nothing, although it is not in the source");
  command.flag("--no-force", flags.noForce, "Refuse objects with fields that another manager holds");
  command.flag("--show-creates", flags.showCreates, "Show the fields of objects that would be made");
  command.flag("--destroy", flags.destroy, "Delete everything that the application owns")
      .excludes(paths)
      .excludes(repo);
  command.option("-o,--output", flags.output, "text, json, yaml, markdown or html")
      .oneOf({"text", "json", "yaml", "markdown", "html"});
}

std::optional<Planned> planFrom(const PlanningFlags& given, PlanOptions::Live live, Findings findings) {
  PlanningFlags flags = given;
  if (flags.source.repo.empty() && flags.source.paths.empty()) flags.source.paths = {"."};
  const auto fail = [](const Error& e) {
    printError(e.message);
    return std::nullopt;
  };
  Planned out;
  std::unique_ptr<SourceReader> source;
  // What is destroyed has no source; where the person stands names the inventory all the same.
  if (!flags.destroy || flags.application.empty()) {
    auto opened = SourceReader::open(flags.source);
    if (!opened.ok()) return fail(opened.error());
    source = std::move(*opened);
  }
  if (!flags.destroy) {
    out.commit = source->commit();
    out.confirmedDeletions = confirmedDigests(source->message());
  }
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) return fail(client.error());
  out.client = std::move(*client);
  const auto facts = askCluster(out);
  if (!facts.ok()) return fail(facts.error());
  out.followed = followedApplications(facts->applications, facts->repositories);
  if (flags.application.empty()) {
    auto named = inventoryOf(*source, out.followed);
    if (!named.ok()) return fail(named.error());
    flags.application = std::move(*named);
  }
  out.application = flags.application;
  std::vector<DeclaredApplication> applications;
  if (flags.destroy) {
    applications = applicationsBelow(flags.application, *facts);
  } else {
    NestedRequest request{flags.application, flags.ns, facts->namespaces, {}};
    for (const auto& [label, object] : facts->applications) request.applications.push_back(label);
    request.repositories = facts->repositories;
    if (const auto it = facts->applications.find(flags.application); it != facts->applications.end())
      request.live = it->second;
    auto read = readApplications(*source, request);
    if (!read.ok()) return fail(read.error());
    if (!accept(*read, findings)) return std::nullopt;
    for (const auto& d : read->findings.items())
      if (d.severity == Severity::error) out.plans.findings.push_back(d.text());
    out.plans.notes = std::move(read->notes);
    applications = std::move(read->all);
  }
  if (const auto done = planAll(std::move(applications), flags, live, *facts, out); !done.ok())
    return fail(done.error());
  return out;
}

void printPlans(const PlanSet& plans, const PlanningFlags& flags) {
  const auto creations = flags.showCreates ? Creations::shown : Creations::folded;
  std::cout << (isDocument(flags.output) ? documentText(planSetJson(plans), flags.output)
                                         : reportAs(planReport(plans, creations), flags.output));
}

bool printDrift(const PlanSet& plans, const std::string& format) {
  std::vector<ApplicationDrift> drifts;
  bool any = false;
  for (const auto& plan : plans.plans) {
    drifts.push_back({plan.application, driftOf(plan)});
    any = any || !drifts.back().objects.empty();
  }
  std::cout << (isDocument(format) ? documentText(driftJson(drifts), format) : reportAs(driftReport(drifts), format));
  return any;
}

}  // namespace steer::cli
