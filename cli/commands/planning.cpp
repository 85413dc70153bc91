#include "cli/commands/planning.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "reconciler/plan/application_policy.h"
#include "render/desired_set.h"

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

Colour colourOf(Mark mark) {
  switch (mark) {
    case Mark::add:
      return Colour::green;
    case Mark::remove:
      return Colour::red;
    case Mark::change:
      return Colour::yellow;
    case Mark::plain:
      break;
  }
  return Colour::bold;
}

std::string reportAs(const Report& report, const std::string& format) {
  if (format == "markdown") return reportMarkdown(report);
  if (format == "html") return reportHtml(report);
  ReportTextOptions options;
  if (colourWanted()) options.paint = [](Mark mark, const std::string& text) { return paint(colourOf(mark), text); };
  return reportText(report, options);
}

bool isDocument(const std::string& format) { return format == "json" || format == "yaml"; }

/// What the cluster says that planning needs to know.
Result<void> askCluster(Planned& out, DesiredOptions& options) {
  STEER_TRY(const auto namespaces, out.client->list("namespaces", {}));
  for (const auto& ns : namespaces.items) {
    if (!ns->deleting()) options.existingNamespaces.insert(ns->name());
    if (ns->name() == "kube-system") out.cluster = ns->uid();  // made with the cluster, never deleted
  }
  return {};
}

/// False with findings that forbid planning; they are printed.
bool readWanted(const RenderedTree& tree, const DesiredOptions& options, std::vector<WantedObject>& out) {
  const auto desired = makeDesiredSet(tree, options);
  for (const auto& d : desired.findings.items())
    std::cerr << paint(d.severity == Severity::error ? Colour::red : Colour::yellow, d.text()) << "\n";
  if (desired.findings.hasErrors()) {
    printError(std::to_string(desired.findings.errorCount()) + " findings; nothing was planned or applied");
    return false;
  }
  for (const auto& object : desired.objects) out.push_back({object.ref, object.object->json(), object.placeOf("")});
  return true;
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

/// How the cluster itself applies this application, if it does: the plan must say what it would do.
Result<OwnershipPolicy> policyFor(Client& client, const PlanningFlags& flags) {
  const auto dot = flags.application.find('.');
  const ObjectRef ref{"applications.steersman.dev",
                      dot == std::string::npos ? "steersman-system" : flags.application.substr(0, dot),
                      dot == std::string::npos ? flags.application : flags.application.substr(dot + 1)};
  const auto object = client.get(ref);
  if (!object.ok() && object.error().code != Errc::notFound) return object.error();
  auto policy = object.ok() ? policyOf((*object)->spec()) : OwnershipPolicy{};
  if (flags.noForce) policy.conflicts = OwnershipPolicy::Conflicts::refuse;
  return policy;
}

Result<void> planAll(const PlanningFlags& flags, PlanOptions::Live live, Planned& out) {
  PlanOptions options;
  options.live = live;
  options.application = flags.application;
  options.source = sourceName(flags);
  options.prune = flags.keepOthers ? PlanOptions::Prune::no : PlanOptions::Prune::yes;
  STEER_TRY(options.selection, selectionOf(flags));
  STEER_TRY(options.policy, policyFor(*out.client, flags));
  STEER_TRY(auto plan, makePlan(*out.client, out.wanted, options));
  out.plans.plans.push_back(std::move(plan));
  return checkTargets(options.selection, out.plans);
}

}  // namespace

void addPlanningFlags(CLI::App& command, PlanningFlags& flags) {
  auto* paths =
      command.add_option("paths", flags.source.paths, "Directories and files; the current directory if left out");
  auto* repo = command.add_option("--repo", flags.source.repo, "A repository instead of files")->excludes(paths);
  command.add_option("--rev", flags.source.revision, "Branch, tag or commit of --repo")->needs(repo);
  command.add_option("--path", flags.source.path, "Directory inside --repo")->needs(repo);
  command.add_option("--kubeconfig", flags.kubeconfig, "Which cluster");
  command.add_option("--application", flags.application, "Whose objects these are; others are never deleted");
  command.add_option("-n,--namespace", flags.ns, "For objects that name none");
  command.add_option("--target", flags.targets, "Only KIND/[NAMESPACE/]NAME, with * and ?; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--exclude", flags.excludes, "Not KIND/[NAMESPACE/]NAME, with * and ?; may be repeated")
      ->allow_extra_args(false);
  command.add_flag("--no-prune", flags.keepOthers, "Delete nothing, although it is not in the source");
  command.add_flag("--no-force", flags.noForce, "Refuse objects with fields that another manager holds");
  command.add_flag("--destroy", flags.destroy, "Delete everything that the application owns")
      ->excludes(paths)
      ->excludes(repo);
  command.add_option("-o,--output", flags.output, "text, json, yaml, markdown or html")
      ->check(CLI::IsMember({"text", "json", "yaml", "markdown", "html"}));
}

std::optional<Planned> planFrom(const PlanningFlags& given, PlanOptions::Live live) {
  PlanningFlags flags = given;
  if (flags.source.repo.empty() && flags.source.paths.empty()) flags.source.paths = {"."};
  const auto fail = [](const Error& e) {
    printError(e.message);
    return std::nullopt;
  };
  Planned out;
  LoadedSource source;
  if (!flags.destroy) {
    auto opened = openSource(flags.source);
    if (!opened.ok()) return fail(opened.error());
    source = std::move(*opened);
  }
  out.commit = source.commit;
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) return fail(client.error());
  out.client = std::move(*client);
  DesiredOptions options;
  options.defaultNamespace = flags.ns;
  if (const auto asked = askCluster(out, options); !asked.ok()) return fail(asked.error());
  if (!flags.destroy && !readWanted(source.tree, options, out.wanted)) return std::nullopt;
  if (const auto done = planAll(flags, live, out); !done.ok()) return fail(done.error());
  return out;
}

void printPlans(const PlanSet& plans, const std::string& format) {
  std::cout << (isDocument(format) ? documentText(planSetJson(plans), format) : reportAs(planReport(plans), format));
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
