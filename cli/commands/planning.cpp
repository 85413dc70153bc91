#include "cli/commands/planning.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "reconciler/apply/planner.h"
#include "render/desired_set.h"

namespace steer::cli {
namespace {

std::string sourceName(const SourceRequest& source) {
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
  command.add_flag("--no-prune", flags.keepOthers, "Delete nothing, although it is not in the source");
  command.add_option("-o,--output", flags.output, "text, json or yaml")->check(CLI::IsMember({"text", "json", "yaml"}));
}

std::optional<Planned> planFrom(const PlanningFlags& given, PlanOptions::Live live) {
  PlanningFlags flags = given;
  if (flags.source.repo.empty() && flags.source.paths.empty()) flags.source.paths = {"."};
  const auto fail = [](const Error& e) {
    printError(e.message);
    return std::nullopt;
  };
  const auto source = openSource(flags.source);
  if (!source.ok()) return fail(source.error());
  Planned out;
  out.commit = source->commit;
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) return fail(client.error());
  out.client = std::move(*client);
  DesiredOptions options;
  options.defaultNamespace = flags.ns;
  const auto namespaces = out.client->list("namespaces", {});
  if (!namespaces.ok()) return fail(namespaces.error());
  for (const auto& ns : namespaces->items) {
    if (!ns->deleting()) options.existingNamespaces.insert(ns->name());
    if (ns->name() == "kube-system") out.cluster = ns->uid();  // made with the cluster, never deleted
  }
  const auto desired = makeDesiredSet(source->tree, options);
  for (const auto& d : desired.findings.items())
    std::cerr << paint(d.severity == Severity::error ? Colour::red : Colour::yellow, d.text()) << "\n";
  if (desired.findings.hasErrors()) {
    printError(std::to_string(desired.findings.errorCount()) + " findings; nothing was planned or applied");
    return std::nullopt;
  }
  for (const auto& object : desired.objects)
    out.wanted.push_back({object.ref, object.object->json(), object.placeOf("")});
  PlanOptions planning;
  planning.live = live;
  planning.application = flags.application;
  planning.source = sourceName(flags.source);
  planning.prune = flags.keepOthers ? PlanOptions::Prune::no : PlanOptions::Prune::yes;
  auto plan = makePlan(*out.client, out.wanted, planning);
  if (!plan.ok()) return fail(plan.error());
  out.plan = std::move(*plan);
  return out;
}

void printPlan(const Plan& plan, const std::string& format) {
  if (format != "text") {
    std::cout << documentText(planJson(plan), format);
    return;
  }
  PlanTextOptions options;
  if (colourWanted()) options.paint = [](Mark mark, const std::string& text) { return paint(colourOf(mark), text); };
  std::cout << planText(plan, options);
}

}  // namespace steer::cli
