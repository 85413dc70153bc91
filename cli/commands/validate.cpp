#include "cli/commands/validate.h"

#include <iostream>
#include <memory>

#include "cli/output.h"
#include "cli/source_tree.h"
#include "cli/terminal.h"
#include "render/desired_set.h"

namespace steer::cli {
namespace {

struct Flags {
  SourceRequest source{};
  std::string output = "text";
  std::string ns = "default";
  std::vector<std::string> existing{};
};

json::object findingJson(const Diagnostic& d) {
  json::object out{{"severity", d.severity == Severity::error ? "error" : "warning"}, {"file", d.pos.file}};
  if (d.pos.line != 0) out["line"] = d.pos.line;
  if (d.pos.column != 0) out["column"] = d.pos.column;
  if (!d.object.empty()) out["object"] = d.object;
  if (!d.path.empty()) out["path"] = d.path;
  out["message"] = d.message;
  if (!d.hint.empty()) out["hint"] = d.hint;
  return out;
}

void printText(const DesiredSet& set) {
  for (const auto& d : set.findings.items())
    std::cout << paint(d.severity == Severity::error ? Colour::red : Colour::yellow, d.text()) << "\n";
  const auto errors = set.findings.errorCount();
  const auto warnings = set.findings.items().size() - errors;
  std::cout << set.tree.size() << " objects, " << errors << " errors, " << warnings << " warnings\n";
}

void printDocument(const DesiredSet& set, const std::string& format) {
  json::array findings;
  for (const auto& d : set.findings.items()) findings.push_back(findingJson(d));
  const json::object out{
      {"objects", set.tree.size()}, {"errors", set.findings.errorCount()}, {"findings", std::move(findings)}};
  std::cout << documentText(out, format);
}

int runValidate(Flags flags) {
  if (flags.source.paths.empty()) flags.source.paths = {"."};
  const auto tree = loadSource(flags.source);
  if (!tree.ok()) {
    printError(tree.error().message);
    return 1;
  }
  const auto set =
      makeDesiredSet(*tree, {flags.ns, {flags.existing.begin(), flags.existing.end()}, "--existing-namespace"});
  if (flags.output == "text") printText(set);
  else printDocument(set, flags.output);
  return set.findings.hasErrors() ? 1 : 0;
}

}  // namespace

void addValidateCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("validate", "Find everything that is wrong in manifests, without a cluster");
  command.footer(
      "Every finding names file:line:column, the field, and what to write instead.\n"
      "Exit code: 0 no errors, 1 errors.\n"
      "Example: steer validate apps/ extra.yaml --existing-namespace shop");
  const auto paths =
      command.option("paths", flags->source.paths, "Directories and files; the current directory if left out");
  const auto repo = command.option("--repo", flags->source.repo, "A repository instead of files").excludes(paths);
  command.option("--rev", flags->source.revision, "Branch, tag or commit of --repo").needs(repo);
  command.option("--path", flags->source.path, "Directory inside --repo").needs(repo);
  command.option("-n,--namespace", flags->ns, "For objects that name none");
  command.option("--existing-namespace", flags->existing, "A namespace that the cluster has already").oneValueEach();
  command.option("-o,--output", flags->output, "text, json or yaml").oneOf({"text", "json", "yaml"});
  command.runs([flags, &exit] { exit.value = runValidate(*flags); });
}

}  // namespace steer::cli
